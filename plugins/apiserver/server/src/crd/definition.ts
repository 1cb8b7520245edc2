import type { KubeObject } from '@kubernel/sdk/api';
import type { JsonSchema } from '@kubernel/sdk/structural';

/** The parts of apiextensions.k8s.io/v1 CustomResourceDefinition that the API server acts on. */
export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string;
    scope: 'Cluster' | 'Namespaced';
    names: Names;
    versions: Version[];
    conversion?: { strategy: 'None' | 'Webhook' };
  };
  status?: { conditions?: Condition[] | null; acceptedNames?: Partial<Names>; storedVersions?: string[] | null };
}

export interface Names {
  plural: string;
  singular?: string;
  shortNames?: string[];
  kind: string;
  listKind?: string;
  categories?: string[];
}

export interface Version {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: JsonSchema };
  subresources?: {
    status?: Record<string, never>;
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

export interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export const CRD_GROUP = 'apiextensions.k8s.io';
export const CRD_PLURAL = 'customresourcedefinitions';
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export function isTrue(definition: CustomResourceDefinition, type: string): boolean {
  return definition.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

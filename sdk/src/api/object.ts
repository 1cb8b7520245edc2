/** The shapes every Kubernetes object shares (https://kubernetes.io/docs/reference/using-api/api-concepts/). */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
}

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  selfLink?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339, whole seconds, UTC. */
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
}

/** Any API object. Kinds with known fields are declared where they are used: `interface Pod extends KubeObject {…}`. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: T[];
}

/** Names a resource: `{group: 'apps', version: 'v1', resource: 'deployments'}`; the core group is `''`. */
export interface ResourceRef {
  group: string;
  version: string;
  resource: string;
  /** Where it is missing the resource is namespaced. */
  clusterScoped?: boolean;
}

/**
 * A value that was decoded against its type's schema, so that each field, where present, has its declared type.
 * Validators and strategies read such values field by field; nothing else should.
 */
// biome-ignore lint/suspicious/noExplicitAny: the schema is checked at run time, before these values come into being
export type Decoded = Record<string, any>;

import type { KubeObject } from '@kubernel/sdk/api';
import type { PolicyRule } from './rules.ts';

export const GROUP = 'rbac.authorization.k8s.io';

export interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
}

export interface RoleRef {
  apiGroup: string;
  kind: string;
  name: string;
}

export interface Role extends KubeObject {
  rules?: PolicyRule[] | null;
  aggregationRule?: { clusterRoleSelectors?: unknown[] };
}

export interface Binding extends KubeObject {
  subjects?: Subject[];
  roleRef: RoleRef;
}

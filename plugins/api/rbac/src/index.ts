import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Roles and their bindings (`rbac.authorization.k8s.io/v1`). */
export const group: ApiGroup = {
  group: 'rbac.authorization.k8s.io',
  versions: ['v1'],
  priority: 17000,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'rbac', { start: () => group });

import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Leases (`coordination.k8s.io/v1`). */
export const group: ApiGroup = {
  group: 'coordination.k8s.io',
  versions: ['v1'],
  priority: 16500,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'coordination', { start: () => group });

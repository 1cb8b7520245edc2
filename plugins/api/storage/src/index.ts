import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Storage classes, CSI drivers, nodes and capacities, volume attachments, volume attributes classes (`storage.k8s.io/v1`). */
export const group: ApiGroup = {
  group: 'storage.k8s.io',
  versions: ['v1'],
  priority: 16800,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'storage', { start: () => group });

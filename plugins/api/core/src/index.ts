import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Pods, services, nodes, namespaces, config maps, secrets, volumes and events (`v1`). */
export const group: ApiGroup = {
  group: '',
  versions: ['v1'],
  priority: 18100,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'core', { start: () => group });

import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Flow schemas and priority levels (`flowcontrol.apiserver.k8s.io/v1`). */
export const group: ApiGroup = {
  group: 'flowcontrol.apiserver.k8s.io',
  versions: ['v1'],
  priority: 16100,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'flowcontrol', { start: () => group });

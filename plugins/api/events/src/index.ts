import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Events as `events.k8s.io/v1`, stored together with the core events. */
export const group: ApiGroup = {
  group: 'events.k8s.io',
  versions: ['v1'],
  priority: 17750,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'events', { start: () => group });

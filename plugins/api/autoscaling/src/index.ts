import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Horizontal pod autoscalers (`autoscaling/v2`, `autoscaling/v1`) and the `Scale` of scale subresources. */
export const group: ApiGroup = {
  group: 'autoscaling',
  versions: ['v2', 'v1'],
  priority: 17500,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'autoscaling', { start: () => group });

import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Jobs and cron jobs (`batch/v1`). */
export const group: ApiGroup = {
  group: 'batch',
  versions: ['v1'],
  priority: 17400,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'batch', { start: () => group });

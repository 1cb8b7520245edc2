import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Pod disruption budgets and the body of evictions (`policy/v1`). */
export const group: ApiGroup = {
  group: 'policy',
  versions: ['v1'],
  priority: 17100,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'policy', { start: () => group });

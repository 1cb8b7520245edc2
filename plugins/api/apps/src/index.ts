import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Deployments, replica sets, stateful sets, daemon sets and controller revisions (`apps/v1`). */
export const group: ApiGroup = {
  group: 'apps',
  versions: ['v1'],
  priority: 17800,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'apps', { start: () => group });

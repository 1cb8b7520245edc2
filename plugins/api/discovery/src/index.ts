import { type ApiGroup, definePlugin } from '@kubernel/sdk';
import { defaults } from './defaults.ts';
import { resources } from './resources.ts';
import { traits, types } from './types.ts';
import { validators } from './validation/index.ts';

/** Endpoint slices (`discovery.k8s.io/v1`). */
export const group: ApiGroup = {
  group: 'discovery.k8s.io',
  versions: ['v1'],
  priority: 16200,
  types,
  traits,
  defaults,
  validators,
  resources,
};

export default definePlugin('api/v1', 'discovery', { start: () => group });

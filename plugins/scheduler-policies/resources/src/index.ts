import { definePlugin } from '@kubernel/sdk';
import { balancedAllocation } from './balanced-allocation.ts';
import { resourcesFit } from './resources-fit.ts';

export default [
  definePlugin('scheduler-policy/v1', 'resources-fit', { start: () => resourcesFit }),
  definePlugin('scheduler-policy/v1', 'balanced-allocation', { start: () => balancedAllocation }),
];

export { balancedAllocation, resourcesFit };

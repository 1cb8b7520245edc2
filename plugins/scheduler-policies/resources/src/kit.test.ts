import { schedulerPolicyKit } from '@kubernel/sdk/tck';
import { describe, it } from 'vitest';
import { balancedAllocation } from './balanced-allocation.ts';
import { resourcesFit } from './resources-fit.ts';

for (const policy of [balancedAllocation, resourcesFit]) schedulerPolicyKit({ describe, it }, { policy });
schedulerPolicyKit({ describe, it }, { policy: resourcesFit, args: { scoringStrategy: { type: 'MostAllocated' } } });

import { schedulerPolicyKit } from '@kubernel/sdk/tck';
import { describe, it } from 'vitest';
import { imageLocality } from './image-locality.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { taints } from './taints.ts';

for (const policy of [imageLocality, nodeAffinity, nodeName, nodePorts, nodeUnschedulable, taints])
  schedulerPolicyKit({ describe, it }, { policy });

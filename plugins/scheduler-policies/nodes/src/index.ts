import { definePlugin } from '@kubernel/sdk';
import { imageLocality } from './image-locality.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { taints } from './taints.ts';

export default [
  definePlugin('scheduler-policy/v1', 'node-unschedulable', { start: () => nodeUnschedulable }),
  definePlugin('scheduler-policy/v1', 'node-name', { start: () => nodeName }),
  definePlugin('scheduler-policy/v1', 'taints', { start: () => taints }),
  definePlugin('scheduler-policy/v1', 'node-affinity', { start: () => nodeAffinity }),
  definePlugin('scheduler-policy/v1', 'node-ports', { start: () => nodePorts }),
  definePlugin('scheduler-policy/v1', 'image-locality', { start: () => imageLocality }),
];

export { imageLocality, nodeAffinity, nodeName, nodePorts, nodeUnschedulable, taints };

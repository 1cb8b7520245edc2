/** Watches over nodes: health, taints, eviction by taint, pod address ranges. */
import { nodeIpam } from './ipam/controller.ts';
import { nodeLifecycle } from './lifecycle/controller.ts';

export default [nodeLifecycle, nodeIpam];

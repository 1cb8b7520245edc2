import { definePlugin } from '@kubernel/sdk';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { topologySpread } from './topology-spread.ts';

export default [
  definePlugin('scheduler-policy/v1', 'topology-spread', { start: () => topologySpread }),
  definePlugin('scheduler-policy/v1', 'inter-pod-affinity', { start: () => interPodAffinity }),
];

export { interPodAffinity, topologySpread };

import { ClusterEvents, PASS, type SchedulerPolicy, UNRESOLVABLE } from '@kubernel/sdk';

const REASONS = ["node(s) didn't match the requested node name"];

/** A pod that names its node fits there only. */
export const nodeName: SchedulerPolicy = {
  name: 'NodeName',
  create: ({ cluster }) => ({
    preFilter: ({ pod }) => (pod.pod.spec.nodeName ? undefined : { skip: true }),
    filter: ({ pod }, node) => (pod.pod.spec.nodeName === cluster.nodes.name(node) ? PASS : UNRESOLVABLE),
    reasons: () => REASONS,
    events: [{ events: ClusterEvents.NodeAdded }],
  }),
};

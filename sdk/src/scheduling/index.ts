/**
 * The cluster as the scheduler and its policies see it: nodes in columns, placed pods, changed in place. Behind the
 * contracts NodeTable and ClusterView of scheduler-policy/v1; used by the scheduler and by tests of policies.
 */
export { Cluster, type ClusterListener } from './cluster.ts';
export { fitError, NO_NODES } from './fit-error.ts';
export { Nodes } from './nodes.ts';
export { countsDifferently, isFinished, ParsedPod } from './pod-info.ts';

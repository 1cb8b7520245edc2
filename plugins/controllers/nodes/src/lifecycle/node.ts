import type { KubeObject, Node, NodeCondition, Taint } from '@kubernel/sdk/api';
import { getCondition } from '@kubernel/sdk/client';

/** Nodes as far as their health goes: without images, capacities and the like. */
export interface LeanNode extends KubeObject {
  zone: string;
  unschedulable: boolean;
  taints: readonly Taint[];
  conditions: readonly NodeCondition[];
}

export function leanNode(arrived: LeanNode): LeanNode {
  const { name, uid, resourceVersion, labels = {}, creationTimestamp, deletionTimestamp } = arrived.metadata;
  const { spec = {}, status = {} } = arrived as unknown as Node;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid, resourceVersion, creationTimestamp, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    zone: `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`,
    unschedulable: spec.unschedulable ?? false,
    taints: spec.taints ?? [],
    conditions: status.conditions ?? [],
  };
}

export const readyOf = (node: LeanNode): NodeCondition | undefined => getCondition(node.conditions, 'Ready');

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** Conditions that are told to the scheduler as taints (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition). */
const CONDITION_TAINTS: readonly [type: string, status: string, taint: string][] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];
const OURS = new Set([...CONDITION_TAINTS.map(([, , key]) => key), UNSCHEDULABLE]);

/** The NoExecute taint that the node's readiness asks for. */
export function evictionTaint(node: LeanNode): string | undefined {
  const ready = readyOf(node);
  if (!ready || ready.status === 'True') return undefined;
  return ready.status === 'False' ? NOT_READY : UNREACHABLE;
}

/**
 * The taints a node should have: those of others, those its conditions ask for, and the NoExecute one when `evict` names
 * it. The very same list when nothing changes. Taints that stay keep the time they were added.
 */
export function wantedTaints(node: LeanNode, evict: string | undefined, now: string): readonly Taint[] {
  const wanted: Taint[] = [];
  for (const [type, status, key] of CONDITION_TAINTS)
    if (getCondition(node.conditions, type)?.status === status) wanted.push({ key, effect: 'NoSchedule' });
  if (node.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  if (evict) wanted.push({ key: evict, effect: 'NoExecute' });
  const isOurs = ({ key, effect }: Taint): boolean =>
    (effect === 'NoSchedule' && OURS.has(key)) || (effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE));
  const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const missing = wanted.filter((taint) => !node.taints.some((old) => isSame(old, taint)));
  const kept = node.taints.filter((old) => !isOurs(old) || wanted.some((taint) => isSame(old, taint)));
  if (missing.length === 0 && kept.length === node.taints.length) return node.taints;
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded: now }))];
}

const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a node that says nothing any more. */
export function unknownConditions(node: LeanNode, now: string): NodeCondition[] {
  const silent = REPORTED.map((type): NodeCondition => {
    const old = getCondition(node.conditions, type);
    if (!old) {
      const [reason, message] = ['NodeStatusNeverUpdated', 'Kubelet never posted node status.'];
      return {
        type,
        status: 'Unknown',
        reason,
        message,
        lastHeartbeatTime: node.metadata.creationTimestamp ?? now,
        lastTransitionTime: now,
      };
    }
    if (old.status === 'Unknown') return old;
    return {
      ...old,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: now,
    };
  });
  return [...node.conditions.filter(({ type }) => !REPORTED.includes(type)), ...silent];
}

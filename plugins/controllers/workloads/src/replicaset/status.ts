import type { ReplicaSet, ReplicaSetStatus } from '@kubernel/sdk/api';
import { getCondition, timestamp, withCondition, withoutCondition } from '@kubernel/sdk/client';
import { isActive, isAvailable, isFinished, type LeanPod } from './pods.ts';

/** The status that these pods make; `failure` is why pods could not be created or deleted in this sync. */
export function replicaSetStatus(
  replicaSet: ReplicaSet,
  pods: readonly LeanPod[],
  failure: { reason: 'FailedCreate' | 'FailedDelete'; message: string } | undefined,
  nowMs: number,
): ReplicaSetStatus {
  const templateLabels = Object.entries(replicaSet.spec.template.metadata?.labels ?? {});
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  let [replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, terminatingReplicas] = [0, 0, 0, 0, 0];
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp && !isFinished(pod)) terminatingReplicas++;
    if (!isActive(pod)) continue;
    replicas++;
    if (templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value)) fullyLabeledReplicas++;
    if (pod.ready) readyReplicas++;
    if (isAvailable(pod, minReadySeconds, nowMs)) availableReplicas++;
  }
  const old = replicaSet.status ?? {};
  let conditions = old.conditions ?? [];
  if (failure && !getCondition(conditions, 'ReplicaFailure')) {
    const condition = { type: 'ReplicaFailure', status: 'True' as const, lastTransitionTime: timestamp(nowMs), ...failure };
    conditions = [...withCondition(conditions, condition)];
  } else if (!failure) {
    conditions = [...withoutCondition(conditions, 'ReplicaFailure')];
  }
  return {
    replicas,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    terminatingReplicas,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

const COUNTERS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'terminatingReplicas',
  'observedGeneration',
] as const;

export function sameStatus(a: ReplicaSetStatus | undefined, b: ReplicaSetStatus): boolean {
  if (!a) return false;
  if (COUNTERS.some((field) => (a[field] ?? 0) !== (b[field] ?? 0))) return false;
  // Conditions are only ever added or taken away here.
  return (a.conditions ?? []).map(({ type }) => type).join() === (b.conditions ?? []).map(({ type }) => type).join();
}

/** Milliseconds until the next ready pod becomes available; undefined when none is on its way. */
export function nextAvailableInMs(replicaSet: ReplicaSet, pods: readonly LeanPod[], nowMs: number): number | undefined {
  const minReadyMs = (replicaSet.spec.minReadySeconds ?? 0) * 1000;
  if (minReadyMs === 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    if (!isActive(pod) || !pod.ready || pod.readySinceMs === 0) continue;
    const inMs = pod.readySinceMs + minReadyMs - nowMs;
    if (inMs > 0 && (next === undefined || inMs < next)) next = inMs;
  }
  return next;
}

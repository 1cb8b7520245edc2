import { type Deployment, type ReplicaSet, scaledValue } from '@kubernel/sdk/api';
import { maxReplicasOf } from './annotations.ts';

/** Arithmetic of rollouts (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment). */

export const replicasOf = (object: { spec: { replicas?: number } }): number => object.spec.replicas ?? 1;

export const isRolling = (deployment: Deployment): boolean => deployment.spec.strategy?.type !== 'Recreate';

/** Pods above and below the wanted number that a rollout may have. Surge is rounded up, unavailable down, and not both are 0. */
export function rollingLimits(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  if (!isRolling(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = replicasOf(deployment);
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, replicas, true);
  const unavailable = scaledValue(maxUnavailable, replicas, false);
  if (surge === 0 && unavailable === 0) return { maxSurge: 0, maxUnavailable: 1 };
  return { maxSurge: surge, maxUnavailable: Math.min(unavailable, replicas) };
}

export function maxSurgeOf(deployment: Deployment): number {
  return rollingLimits(deployment).maxSurge;
}

export function totalReplicas(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, rs) => sum + replicasOf(rs), 0);
}

export function availableReplicas(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, rs) => sum + (rs.status?.availableReplicas ?? 0), 0);
}

export function active(replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  return replicaSets.filter((rs) => replicasOf(rs) > 0);
}

/** Oldest first. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (first !== second) return first < second ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

/** How many replicas the newest replica set should have next, given what all of them have now. */
export function newReplicaCount(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const wanted = replicasOf(deployment);
  if (!isRolling(deployment)) return wanted;
  const room = wanted + rollingLimits(deployment).maxSurge - totalReplicas(all);
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/**
 * Sizes when a Deployment is scaled in the middle of a rollout: the change is spread over the replica sets in proportion
 * to their sizes, what rounding leaves over goes to the largest.
 */
export function proportionalSizes(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Map<ReplicaSet, number> {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + rollingLimits(deployment).maxSurge : 0;
  const toAdd = allowed - totalReplicas(replicaSets);
  // Growing favours the newer of two equal ones, shrinking the older.
  const ordered = [...replicaSets].sort((a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const rs of ordered) {
    const share = toAdd === added ? 0 : proportion(deployment, rs, toAdd - added, toAdd > 0);
    sizes.set(rs, replicasOf(rs) + share);
    added += share;
  }
  const [largest] = ordered;
  if (largest && toAdd !== 0) sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  return sizes;
}

function proportion(deployment: Deployment, rs: ReplicaSet, left: number, growing: boolean): number {
  const size = replicasOf(rs);
  if (size === 0) return 0;
  const wanted = replicasOf(deployment);
  let share = -size;
  if (wanted > 0) {
    const before = maxReplicasOf(rs) || deployment.status?.replicas || 0;
    share = before === 0 ? 0 : Math.round((size * (wanted + rollingLimits(deployment).maxSurge)) / before) - size;
  }
  return growing ? Math.min(share, left) : Math.max(share, left);
}

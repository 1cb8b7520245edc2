import { type Deployment, type DeploymentStatus, type ReplicaSet, semanticEqual } from '@kubernel/sdk/api';
import { type Condition, getCondition, timestamp, withoutCondition } from '@kubernel/sdk/client';
import { availableReplicas, replicasOf, rollingLimits, totalReplicas } from './replicas.ts';

/** What all replica sets of a rollout are, once the newest is known (or known not to exist yet). */
export interface ReplicaSets {
  newest: ReplicaSet | undefined;
  old: ReplicaSet[];
  all: ReplicaSet[];
}

const NO_DEADLINE = 2 ** 31 - 1;

/** Milliseconds without progress after which a rollout counts as stuck; undefined: never. */
export function progressDeadlineMs(deployment: Deployment): number | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds === undefined || seconds === NO_DEADLINE ? undefined : seconds * 1000;
}

export function progressing(object: { status?: DeploymentStatus } | DeploymentStatus): Condition | undefined {
  const status = 'status' in object ? (object.status as DeploymentStatus | undefined) : (object as DeploymentStatus);
  return getCondition(status?.conditions, 'Progressing');
}

/** A condition like the one that is there (same status and reason) leaves it alone: its times tell when that began. */
export function setCondition(
  conditions: readonly Condition[],
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
  now: number,
): Condition[] {
  const old = getCondition(conditions, type);
  if (old && old.status === status && old.reason === reason) return [...conditions];
  return [
    ...withoutCondition(conditions, type),
    made(type, status, reason, message, now, old?.status === status ? old.lastTransitionTime : undefined),
  ];
}

function made(
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
  now: number,
  since: string | undefined,
): Condition {
  const stamp = timestamp(now);
  return { type, status, lastUpdateTime: stamp, lastTransitionTime: since ?? stamp, reason, message };
}

/** Counts and availability, as the replica sets have them. */
export function countedStatus(deployment: Deployment, { newest, all }: ReplicaSets, now: number): DeploymentStatus {
  const available = availableReplicas(all);
  const total = totalReplicas(all);
  const isAvailable = available >= replicasOf(deployment) - rollingLimits(deployment).maxUnavailable;
  const conditions = setCondition(
    deployment.status?.conditions ?? [],
    'Available',
    isAvailable ? 'True' : 'False',
    isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    isAvailable ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
    now,
  );
  const terminating = all.map((rs) => rs.status?.terminatingReplicas);
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: all.reduce((sum, rs) => sum + (rs.status?.replicas ?? 0), 0),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: all.reduce((sum, rs) => sum + (rs.status?.readyReplicas ?? 0), 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total - available),
    ...(terminating.some((count) => count === undefined)
      ? {}
      : { terminatingReplicas: terminating.reduce<number>((sum, count) => sum + (count ?? 0), 0) }),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions,
  };
}

/** The status of a rollout, with how it gets on (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status). */
export function rolloutStatus(deployment: Deployment, sets: ReplicaSets, now: number): DeploymentStatus {
  const status = countedStatus(deployment, sets, now);
  let conditions = status.conditions ?? [];
  const deadlineMs = progressDeadlineMs(deployment);
  const current = progressing(deployment);
  const wasComplete = status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  const subject = sets.newest ? `ReplicaSet "${sets.newest.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  if (deadlineMs === undefined) {
    conditions = [...withoutCondition(conditions, 'Progressing')];
  } else if (!wasComplete) {
    if (isComplete(deployment, status)) {
      conditions = setCondition(
        conditions,
        'Progressing',
        'True',
        'NewReplicaSetAvailable',
        `${subject} has successfully progressed.`,
        now,
      );
    } else if (madeProgress(deployment, status)) {
      // Written anew each time: its lastUpdateTime is what the deadline counts from.
      const since = current?.status === 'True' ? current.lastTransitionTime : undefined;
      conditions = [
        ...withoutCondition(conditions, 'Progressing'),
        made('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, now, since),
      ];
    } else if (timedOut(current, deadlineMs, now)) {
      conditions = setCondition(
        conditions,
        'Progressing',
        'False',
        'ProgressDeadlineExceeded',
        `${subject} has timed out progressing.`,
        now,
      );
    }
  }
  const failure =
    getCondition(sets.newest?.status?.conditions, 'ReplicaFailure') ??
    sets.old.map((rs) => getCondition(rs.status?.conditions, 'ReplicaFailure')).find(Boolean);
  if (failure) conditions = setCondition(conditions, 'ReplicaFailure', failure.status, failure.reason ?? '', failure.message ?? '', now);
  else conditions = [...withoutCondition(conditions, 'ReplicaFailure')];
  return { ...status, conditions };
}

/** All pods are of the newest template and available, none of an old one is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    status.updatedReplicas === wanted &&
    status.replicas === wanted &&
    status.availableReplicas === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function madeProgress({ status: old = {} }: Deployment, now: DeploymentStatus): boolean {
  const oldPods = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldPods(now) < oldPods(old) ||
    (now.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

function timedOut(condition: Condition | undefined, deadlineMs: number, now: number): boolean {
  if (!condition || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return Date.parse(condition.lastUpdateTime ?? '') + deadlineMs < now;
}

/** Milliseconds until it should be asked whether the rollout is stuck; undefined when that cannot happen. */
export function stuckInMs(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const deadlineMs = progressDeadlineMs(deployment);
  const condition = progressing(status);
  if (deadlineMs === undefined || !condition || isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded')
    return undefined;
  return Math.max(0, Date.parse(condition.lastUpdateTime ?? '') + deadlineMs - now) + 1000;
}

export function sameStatus(a: DeploymentStatus | undefined, b: DeploymentStatus): boolean {
  return a !== undefined && semanticEqual(a, b);
}

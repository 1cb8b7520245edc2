import type { Deployment, ReplicaSet } from '@kubernel/sdk/api';

/** What a Deployment notes on its replica sets, by the names that kubectl reads (`rollout history`, `rollout undo`). */
export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
/** Annotations of a Deployment that say nothing about its replica sets. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);
const HISTORY_CHARACTERS = 2000;

type Annotated = { metadata: { annotations?: Record<string, string> } };

/** 0 when there is none. */
export function revisionOf({ metadata }: Annotated): number {
  return Number.parseInt(metadata.annotations?.[REVISION] ?? '0', 10) || 0;
}

export function desiredReplicasOf(replicaSet: ReplicaSet): number | undefined {
  return numberIn(replicaSet, DESIRED_REPLICAS);
}

/** How many pods the Deployment could have when this replica set was last scaled. */
export function maxReplicasOf(replicaSet: ReplicaSet): number | undefined {
  return numberIn(replicaSet, MAX_REPLICAS);
}

function numberIn({ metadata }: Annotated, name: string): number | undefined {
  const value = Number.parseInt(metadata.annotations?.[name] ?? '', 10);
  return Number.isNaN(value) ? undefined : value;
}

/** The annotations the newest replica set should have; the very same object when it has them. */
export function newReplicaSetAnnotations(deployment: Deployment, replicaSet: Annotated, revision: number): Record<string, string> {
  const current = replicaSet.metadata.annotations ?? {};
  const next: Record<string, string> = { ...current };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!NOT_COPIED.has(name)) next[name] = value;
  const oldRevision = current[REVISION];
  if ((Number.parseInt(oldRevision ?? '0', 10) || 0) < revision) {
    next[REVISION] = String(revision);
    // An old revision that is rolled back to gets a new number; the history keeps the numbers it had.
    if (oldRevision) next[REVISION_HISTORY] = withRevision(current[REVISION_HISTORY], oldRevision);
  }
  return Object.keys(next).every((name) => next[name] === current[name]) ? current : next;
}

function withRevision(history: string | undefined, revision: string): string {
  const revisions = history ? history.split(',') : [];
  revisions.push(revision);
  while (revisions.join(',').length > HISTORY_CHARACTERS) revisions.shift();
  return revisions.join(',');
}

export function replicaAnnotations(desired: number, max: number): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) };
}

export function hasReplicaAnnotations({ metadata }: Annotated, desired: number, max: number): boolean {
  const annotations = metadata.annotations ?? {};
  return annotations[DESIRED_REPLICAS] === String(desired) && annotations[MAX_REPLICAS] === String(max);
}

import type { KubeObject, Pod, ReplicaSet } from '@kubernel/sdk/api';
import { controllerOf, controllerRef, getCondition } from '@kubernel/sdk/client';

/** Pods as the replica set controller keeps them: ten thousand of these fit where a thousand whole ones do. */
export interface LeanPod extends KubeObject {
  nodeName: string;
  phase: string;
  ready: boolean;
  /** When it became ready, in milliseconds; 0 when it is not. */
  readySinceMs: number;
  restarts: number;
}

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

export function leanPod(pod: LeanPod): LeanPod {
  const { name, namespace, uid, resourceVersion, labels, annotations, ownerReferences, creationTimestamp, deletionTimestamp } =
    pod.metadata;
  const { spec, status = {} } = pod as unknown as Pod;
  const ready = getCondition(status.conditions, 'Ready');
  const cost = annotations?.[DELETION_COST];
  let restarts = 0;
  for (const container of status.containerStatuses ?? []) restarts = Math.max(restarts, container.restartCount ?? 0);
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      labels,
      ownerReferences,
      creationTimestamp,
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
      ...(cost === undefined ? {} : { annotations: { [DELETION_COST]: cost } }),
    },
    nodeName: spec.nodeName ?? '',
    phase: status.phase ?? 'Pending',
    ready: ready?.status === 'True',
    readySinceMs: ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') || 0 : 0,
    restarts,
  };
}

/** Informer indexes: pods by the uid of their controller, and those without one by namespace. */
export const POD_INDEXES = {
  controller: (pod: LeanPod): string[] => {
    const uid = controllerOf(pod)?.uid;
    return uid ? [uid] : [];
  },
  orphans: (pod: LeanPod): string[] => (controllerOf(pod) ? [] : [pod.metadata.namespace ?? '']),
};

export function isFinished(pod: LeanPod): boolean {
  return pod.phase === 'Succeeded' || pod.phase === 'Failed';
}

export function isActive(pod: LeanPod): boolean {
  return !isFinished(pod) && !pod.metadata.deletionTimestamp;
}

/** Ready for so long that it counts: `minReadySeconds` of 0 needs no time at all. */
export function isAvailable(pod: LeanPod, minReadySeconds: number, nowMs: number): boolean {
  return pod.ready && (minReadySeconds === 0 || (pod.readySinceMs > 0 && pod.readySinceMs + minReadySeconds * 1000 <= nowMs));
}

export function podFromTemplate(replicaSet: ReplicaSet): Pod {
  const { template } = replicaSet.spec;
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${replicaSet.metadata.name}-`,
      namespace: replicaSet.metadata.namespace,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerRef(replicaSet, 'apps/v1', 'ReplicaSet')],
    },
    spec: template.spec,
  };
}

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The `count` pods to delete first, by the public order of
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset: unscheduled, pending, not
 * ready, cheap by annotation, many on one node, ready for a short time, often restarted, young. Times are compared by
 * their logarithm, so that among pods of about the same age chance (the uid) decides and not the rollout order.
 * `related`: active pods of all replica sets with the same owner, which tell how crowded a node is.
 */
export function podsToDelete(pods: readonly LeanPod[], count: number, related: readonly LeanPod[], nowMs: number): LeanPod[] {
  if (count >= pods.length) return [...pods];
  const onNode = new Map<string, number>();
  for (const pod of related) if (isActive(pod)) onNode.set(pod.nodeName, (onNode.get(pod.nodeName) ?? 0) + 1);
  const ranked = pods.map((pod) => ({
    pod,
    keys: [
      pod.nodeName ? 1 : 0,
      PHASE_RANK[pod.phase] ?? 2,
      pod.ready ? 1 : 0,
      deletionCost(pod),
      -(onNode.get(pod.nodeName) ?? 0),
      pod.ready ? ageRank(pod.readySinceMs, nowMs) : 0,
      -pod.restarts,
      ageRank(Date.parse(pod.metadata.creationTimestamp ?? ''), nowMs),
    ],
  }));
  ranked.sort((a, b) => {
    for (let i = 0; i < a.keys.length; i++) {
      const difference = (a.keys[i] as number) - (b.keys[i] as number);
      if (difference !== 0) return difference;
    }
    return (a.pod.metadata.uid ?? '') < (b.pod.metadata.uid ?? '') ? -1 : 1;
  });
  return ranked.slice(0, count).map(({ pod }) => pod);
}

function deletionCost(pod: LeanPod): number {
  const text = pod.metadata.annotations?.[DELETION_COST] ?? '0';
  return /^-?[1-9]\d*$/.test(text) ? Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Number(text))) : 0;
}

/** Young first; a time that is not known counts as just now. */
function ageRank(sinceMs: number, nowMs: number): number {
  return sinceMs > 0 && nowMs > sinceMs ? Math.floor(Math.log2((nowMs - sinceMs) * 1e6)) : -1;
}

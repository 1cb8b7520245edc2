import { type KubeObject, type Pod, type PodCondition, type Taint, type Toleration, tolerates } from '@kubernel/sdk/api';
import {
  type ControllerParts,
  type Informer,
  isNotFound,
  objectKey,
  PODS,
  type Reconciler,
  timestamp,
  withCondition,
} from '@kubernel/sdk/client';
import type { LeanNode } from './node.ts';

/** Pods as far as eviction goes. */
export interface LeanPod extends KubeObject {
  nodeName: string;
  finished: boolean;
  tolerations: readonly Toleration[];
  conditions: readonly PodCondition[];
}

export function leanPod(arrived: LeanPod): LeanPod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = arrived.metadata;
  const { spec, status = {} } = arrived as unknown as Pod;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    nodeName: spec.nodeName ?? '',
    finished: status.phase === 'Succeeded' || status.phase === 'Failed',
    tolerations: (spec.tolerations ?? []).filter(({ effect }) => !effect || effect === 'NoExecute'),
    conditions: status.conditions ?? [],
  };
}

/**
 * Deletes pods that do not tolerate a NoExecute taint of their node, after as long as they do
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions). Times count from
 * when the taint was added, so a restart of this controller neither hurries nor delays an eviction.
 */
export function taintEviction(
  { client, events, reconciler }: ControllerParts,
  nodes: Informer<LeanNode>,
  pods: Informer<LeanPod>,
): Reconciler {
  /** Pods that wait for their eviction, by uid. */
  const marked = new Set<string>();
  const evicting = reconciler('taint-eviction', sync, { workers: 8 });
  const noExecute = (name: string): Taint[] => nodes.get(name)?.taints.filter(({ effect }) => effect === 'NoExecute') ?? [];
  const enqueueAll = (node: LeanNode): void => {
    for (const pod of pods.byIndex('node', node.metadata.name ?? '')) evicting.enqueue(objectKey(pod));
  };
  nodes.on({
    add: (node) => {
      if (node.taints.some(({ effect }) => effect === 'NoExecute')) enqueueAll(node);
    },
    update: (node, old) => {
      if (executeKey(node) !== executeKey(old)) enqueueAll(node);
    },
  });
  const look = (pod: LeanPod): void => {
    if (pod.nodeName !== '' && (marked.has(pod.metadata.uid ?? '') || noExecute(pod.nodeName).length > 0)) evicting.enqueue(objectKey(pod));
  };
  pods.on({ add: look, update: look, delete: ({ metadata }) => marked.delete(metadata.uid ?? '') });
  return evicting;

  async function sync(key: string): Promise<{ requeueAfterMs?: number } | undefined> {
    const pod = pods.get(key);
    if (!pod || pod.finished || pod.metadata.deletionTimestamp || pod.nodeName === '') return undefined;
    const uid = pod.metadata.uid ?? '';
    const taints = noExecute(pod.nodeName);
    const atMs = evictionTime(pod, taints);
    if (atMs === undefined) {
      if (marked.delete(uid)) events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
      return undefined;
    }
    const inMs = atMs - Date.now();
    if (inMs > 0) {
      marked.add(uid);
      return { requeueAfterMs: inMs };
    }
    events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
    await evict(pod);
    return undefined;
  }

  async function evict({ metadata: { name = '', namespace = '', uid = '' } }: LeanPod): Promise<void> {
    try {
      const current = await client.get<Pod>(PODS, name, { namespace });
      if (current.metadata.uid !== uid || current.metadata.deletionTimestamp) return;
      const condition = {
        type: 'DisruptionTarget',
        status: 'True' as const,
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
      };
      const conditions = withCondition(current.status?.conditions, condition, timestamp());
      const { resourceVersion } = current.metadata;
      await client.patch(
        PODS,
        name,
        { type: 'merge', patch: { metadata: { uid, resourceVersion }, status: { conditions } } },
        { namespace, subresource: 'status' },
      );
      await client.delete(PODS, name, { namespace, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/**
 * When a pod has to go, in milliseconds since 1970: the earliest end of its tolerations, at once for a taint that it does
 * not tolerate at all; undefined when it may stay.
 */
export function evictionTime(pod: LeanPod, taints: readonly Taint[]): number | undefined {
  let earliest: number | undefined;
  for (const taint of taints) {
    const addedMs = Math.max(Date.parse(taint.timeAdded ?? '') || 0, Date.parse(pod.metadata.creationTimestamp ?? '') || 0);
    const tolerating = pod.tolerations.filter((toleration) => tolerates(toleration, taint));
    // Of several tolerations of one taint the shortest counts; one without a time tolerates for ever.
    const seconds =
      tolerating.length === 0
        ? [0]
        : tolerating.flatMap(({ tolerationSeconds }) => (tolerationSeconds === undefined ? [] : [Math.max(0, tolerationSeconds)]));
    if (seconds.length === 0) continue;
    const atMs = addedMs + Math.min(...seconds) * 1000;
    if (earliest === undefined || atMs < earliest) earliest = atMs;
  }
  return earliest;
}

function executeKey({ taints }: LeanNode): string {
  return taints.map(({ key, value = '', effect }) => (effect === 'NoExecute' ? `${key}=${value}` : '')).join();
}

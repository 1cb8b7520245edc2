import { definePlugin } from '@kubernel/sdk';
import type { KubeObject, Node, Pod } from '@kubernel/sdk/api';
import {
  type Condition,
  controllerParts,
  isConditionTrue,
  isConflict,
  isNotFound,
  NODES,
  PODS,
  timestamp,
  withCondition,
} from '@kubernel/sdk/client';

export interface PodGcConfig {
  /** How many finished pods may stay in the cluster. 0: all of them. Default 12,500. */
  terminatedPodThreshold?: number;
  /** How often pods are looked over, in seconds. Default 20. */
  periodSeconds?: number;
  /** How long a pod's node must be missing before the pod goes, in seconds. Default 40. */
  nodeQuarantineSeconds?: number;
}

interface LeanPod extends KubeObject {
  nodeName: string;
  phase: string;
}

interface LeanNode extends KubeObject {
  /** Somebody says that the node is off and will not come back with its volumes: its pods need not be waited for. */
  outOfService: boolean;
}

const NODE_GONE: Condition = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
};
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/**
 * Deletes pods that nobody else would: those of nodes that are gone or out of service, those that were deleted before they
 * got a node, and the oldest finished ones beyond a limit (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection).
 */
export const podGc = definePlugin<'controller/v1', PodGcConfig>('controller/v1', 'pod-gc', {
  start(ctx) {
    const { terminatedPodThreshold = 12_500, periodSeconds = 20, nodeQuarantineSeconds = 40 } = ctx.config;
    const parts = controllerParts(ctx, 'pod-garbage-collector');
    const pods = parts.informers.get<LeanPod>(PODS, { transform: leanPod, indexes: { node: ({ nodeName }) => [nodeName] } });
    const nodes = parts.informers.get<LeanNode>(NODES, { transform: leanNode });
    /** Node names that pods have and no node has, with when that was first seen. */
    const missing = new Map<string, number>();
    let busy = false;
    const timer = setInterval(() => void round(), periodSeconds * 1000);
    ctx.defer(() => clearInterval(timer));
    return parts.run();

    async function round(): Promise<void> {
      if (busy || !pods.hasSynced || !nodes.hasSynced) return;
      busy = true;
      try {
        await collect();
      } catch (error) {
        ctx.log.warn('pods could not be looked over', { error: String(error) });
      } finally {
        busy = false;
      }
    }

    async function collect(): Promise<void> {
      const now = Date.now();
      const doomed: { pod: LeanPod; why: string; condition?: Condition }[] = [];
      const finished: LeanPod[] = [];
      const unseen = new Set(missing.keys());
      for (const pod of pods.list()) {
        const { nodeName, phase, metadata } = pod;
        const deleting = metadata.deletionTimestamp !== undefined;
        const node = nodes.get(nodeName);
        if (phase === 'Succeeded' || phase === 'Failed') finished.push(pod);
        if (nodeName === '') {
          if (deleting) doomed.push({ pod, why: 'deleted before it got a node' });
        } else if (!node) {
          unseen.delete(nodeName);
          const since = missing.get(nodeName) ?? now;
          missing.set(nodeName, since);
          if (now - since >= nodeQuarantineSeconds * 1000 && (await isGone(nodeName)))
            doomed.push({ pod, why: 'its node is gone', condition: NODE_GONE });
        } else if (deleting && node.outOfService) {
          doomed.push({ pod, why: 'its node is out of service' });
        }
      }
      for (const name of unseen) missing.delete(name);
      const surplus = terminatedPodThreshold > 0 ? finished.length - terminatedPodThreshold : 0;
      if (surplus > 0) {
        finished.sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1));
        doomed.push(...finished.slice(0, surplus).map((pod) => ({ pod, why: 'finished, and there are too many such' })));
      }
      for (let i = 0; i < doomed.length; i += 50) {
        await Promise.all(doomed.slice(i, i + 50).map(({ pod, why, condition }) => remove(pod, why, condition)));
      }
    }

    /** The informer may not have a node that just came. */
    async function isGone(nodeName: string): Promise<boolean> {
      try {
        await parts.client.get(NODES, nodeName);
        return false;
      } catch (error) {
        if (isNotFound(error)) return true;
        throw error;
      }
    }

    /** A pod that did not finish is marked failed first: whoever counts failures must be able to see this one. */
    async function remove(pod: LeanPod, why: string, condition?: Condition): Promise<void> {
      const { name = '', namespace = '', uid = '' } = pod.metadata;
      try {
        if (pod.phase !== 'Succeeded' && pod.phase !== 'Failed') {
          const current = await parts.client.get<Pod>(PODS, name, { namespace });
          if (current.metadata.uid !== uid) return;
          const conditions = condition ? { conditions: withCondition(current.status?.conditions, condition, timestamp()) } : {};
          await parts.client.patch(
            PODS,
            name,
            { type: 'merge', patch: { metadata: { uid }, status: { phase: 'Failed', ...conditions } } },
            { namespace, subresource: 'status' },
          );
        }
        await parts.client.delete(PODS, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } });
        ctx.log.info('a pod was collected', { pod: `${namespace}/${name}`, why });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error))
          ctx.log.warn('a pod could not be collected', { pod: `${namespace}/${name}`, error: String(error) });
      }
    }
  },
});

function leanPod(arrived: LeanPod): LeanPod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = arrived.metadata;
  const { spec, status } = arrived as unknown as Pod;
  return {
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    nodeName: spec.nodeName ?? '',
    phase: status?.phase ?? 'Pending',
  };
}

function leanNode(arrived: LeanNode): LeanNode {
  const { name, uid, resourceVersion } = arrived.metadata;
  const { spec, status } = arrived as Node;
  const isTainted = spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false;
  return { metadata: { name, uid, resourceVersion }, outOfService: isTainted && !isConditionTrue(status?.conditions, 'Ready') };
}

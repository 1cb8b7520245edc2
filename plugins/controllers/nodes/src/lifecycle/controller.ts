import { definePlugin } from '@kubernel/sdk';
import type { Lease } from '@kubernel/sdk/api';
import { controllerParts, isConflict, isNotFound, LEASES, NODES, OwnWrites, objectKey, PODS, timestamp } from '@kubernel/sdk/client';
import { type LeanPod, leanPod, taintEviction } from './eviction.ts';
import { evictionTaint, type LeanNode, leanNode, readyOf, unknownConditions, wantedTaints } from './node.ts';
import { DEFAULT_RATES, type ZoneHealth, type ZoneRates, Zones } from './zones.ts';

export interface NodeLifecycleConfig extends Partial<ZoneRates> {
  /** How long a node may be silent before it counts as unreachable, in seconds. Default 50. */
  gracePeriodSeconds?: number;
  /** The same for a node that never said anything. Default 60. */
  startupGraceSeconds?: number;
}

/** Share of the grace period within which a node must have given a sign of life to vouch for the network. */
const HEARD_OF = 0.4;
const LEASE_NAMESPACE = 'kube-node-lease';

interface Health {
  /** When we last saw a sign of life, by our own clock: those of nodes may be wrong. */
  seenAtMs: number;
  renewTime: string;
  heartbeat: string;
  wasReady: boolean;
}

/**
 * Watches over nodes: a silent one becomes Unknown, conditions become taints, and pods that do not tolerate a NoExecute
 * taint are evicted (https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller).
 */
export const nodeLifecycle = definePlugin<'controller/v1', NodeLifecycleConfig>('controller/v1', 'node-lifecycle', {
  start(ctx) {
    const { gracePeriodSeconds = 50, startupGraceSeconds = 60, ...rates } = ctx.config;
    const parts = controllerParts(ctx, 'node-controller');
    const { client, events } = parts;
    const nodes = parts.informers.get<LeanNode>(NODES, { transform: leanNode, indexes: { zone: ({ zone }) => [zone] } });
    const leases = parts.informers.get<Lease>(LEASES, { namespace: LEASE_NAMESPACE });
    const pods = parts.informers.get<LeanPod>(PODS, {
      transform: leanPod,
      indexes: { node: ({ nodeName }) => (nodeName ? [nodeName] : []) },
    });
    const zones = new Zones({ ...DEFAULT_RATES, ...rates });
    const written = new OwnWrites<LeanNode>();
    const health = new Map<string, Health>();
    const reconciler = parts.reconciler('node-lifecycle', sync, { workers: 8 });
    const eviction = taintEviction(parts, nodes, pods);

    nodes.on({
      add(node) {
        noteHeartbeat(node);
        reconciler.enqueue(objectKey(node));
        say(node, 'RegisteredNode', `Node ${node.metadata.name} event: Registered Node ${node.metadata.name} in Controller`);
      },
      update(node, old) {
        noteHeartbeat(node);
        if (changesTaints(node, old)) reconciler.enqueue(objectKey(node));
        // Whether all nodes are down, or most of a zone, decides what happens to the others too.
        if (readyOf(node)?.status !== readyOf(old)?.status)
          for (const other of nodes.list()) if (evictionTaint(other)) reconciler.enqueue(objectKey(other));
      },
      delete(node) {
        health.delete(objectKey(node));
        say(node, 'RemovingNode', `Node ${node.metadata.name} event: Removing Node ${node.metadata.name} from Controller`);
      },
    });
    leases.on({ add: noteLease, update: noteLease });
    return parts.run(reconciler, eviction);

    // ------------------------------------------------------------------------------------------ signs of life

    function noteHeartbeat(node: LeanNode): void {
      const known = healthOf(objectKey(node));
      const heartbeat = readyOf(node)?.lastHeartbeatTime ?? '';
      if (heartbeat === known.heartbeat) return;
      known.heartbeat = heartbeat;
      known.seenAtMs = Date.now();
    }

    /** Ten seconds apart for every node: nothing is looked at but the record, the node's own timer does the rest. */
    function noteLease(lease: Lease): void {
      const known = healthOf(lease.metadata.name ?? '');
      const renewTime = lease.spec?.renewTime ?? '';
      if (renewTime === known.renewTime) return;
      known.renewTime = renewTime;
      known.seenAtMs = Date.now();
    }

    function healthOf(name: string): Health {
      let known = health.get(name);
      if (!known) health.set(name, (known = { seenAtMs: Date.now(), renewTime: '', heartbeat: '', wasReady: false }));
      return known;
    }

    // ------------------------------------------------------------------------------------------ one node

    async function sync(name: string): Promise<{ requeueAfterMs?: number } | undefined> {
      const known = nodes.get(name);
      if (!known || known.metadata.deletionTimestamp) return undefined;
      const state = healthOf(name);
      let node = written.latest(known);
      const graceMs = (readyOf(node) ? gracePeriodSeconds : startupGraceSeconds) * 1000;
      const silentMs = Date.now() - state.seenAtMs;
      if (silentMs >= graceMs && readyOf(node)?.status !== 'Unknown') node = (await markUnknown(node, silentMs)) ?? node;
      const isReady = readyOf(node)?.status === 'True';
      if (state.wasReady && !isReady) {
        say(node, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
        await markPodsNotReady(name);
      }
      state.wasReady = isReady;
      const waitMs = await syncTaints(node);
      const untilSilentMs = silentMs >= graceMs ? undefined : graceMs - silentMs;
      const waits = [waitMs, untilSilentMs].filter((ms) => ms !== undefined);
      return waits.length > 0 ? { requeueAfterMs: Math.max(1, Math.min(...waits)) } : undefined;
    }

    async function markUnknown(node: LeanNode, silentMs: number): Promise<LeanNode | undefined> {
      ctx.log.warn('a node is silent', { node: node.metadata.name, silentSeconds: Math.round(silentMs / 1000) });
      const { uid, resourceVersion } = node.metadata;
      return patchNode(
        node,
        { metadata: { uid, resourceVersion }, status: { conditions: unknownConditions(node, timestamp()) } },
        'status',
      );
    }

    /** Returns when to come back for an eviction that has to wait its turn. */
    async function syncTaints(node: LeanNode): Promise<number | undefined> {
      const key = evictionTaint(node);
      let evict: string | undefined;
      let waitMs: number | undefined;
      // When no node is well it is more likely us who hear nothing: nobody is evicted for that.
      const lookAgainMs = HEARD_OF * gracePeriodSeconds * 1000;
      if (key && !anyWell()) {
        waitMs = lookAgainMs;
      } else if (key) {
        const isNew = !node.taints.some((taint) => taint.effect === 'NoExecute' && taint.key === key);
        const isOther = node.taints.some(
          (taint) => taint.effect === 'NoExecute' && taint.key !== key && taint.key.startsWith('node.kubernetes.io/'),
        );
        // From not ready to unreachable, or back: its pods are being evicted already.
        if (isNew && !isOther) waitMs = zones.take(node.zone, healthOfZone(node.zone), Date.now()) ?? lookAgainMs;
        if (!isNew || isOther || waitMs === 0) evict = key;
      }
      const taints = wantedTaints(node, evict, timestamp());
      if (taints !== node.taints) {
        const { uid, resourceVersion } = node.metadata;
        await patchNode(node, { metadata: { uid, resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } });
      }
      return waitMs === 0 ? undefined : waitMs;
    }

    /**
     * Ready, and heard of lately. All nodes that a broken network cuts off at once fall silent one after the other; those
     * whose time is not yet up do not vouch for the others.
     */
    function isWell(node: LeanNode): boolean {
      return readyOf(node)?.status === 'True' && Date.now() - healthOf(objectKey(node)).seenAtMs < HEARD_OF * gracePeriodSeconds * 1000;
    }

    function anyWell(): boolean {
      for (const node of nodes.list()) if (isWell(node)) return true;
      return false;
    }

    function healthOfZone(zone: string): ZoneHealth {
      const members = nodes.byIndex('zone', zone);
      return { total: members.length, unwell: members.filter((node) => !isWell(node)).length };
    }

    async function patchNode(node: LeanNode, patch: Record<string, unknown>, subresource?: string): Promise<LeanNode | undefined> {
      try {
        const answer = await client.patch<LeanNode>(
          NODES,
          node.metadata.name ?? '',
          { type: 'merge', patch },
          subresource ? { subresource } : {},
        );
        return written.note(leanNode(answer));
      } catch (error) {
        written.forget(node);
        if (isNotFound(error)) return undefined;
        throw error;
      }
    }

    /** Services must not send traffic to pods nobody hears of; the kubelet says otherwise as soon as it is back. */
    async function markPodsNotReady(nodeName: string): Promise<void> {
      const ready = pods
        .byIndex('node', nodeName)
        .filter(({ conditions }) => conditions.some(({ type, status }) => type === 'Ready' && status === 'True'));
      for (let i = 0; i < ready.length; i += 50) {
        await Promise.all(
          ready.slice(i, i + 50).map(async ({ metadata: { name = '', namespace = '', uid, resourceVersion }, conditions }) => {
            const changed = conditions.map((condition) =>
              condition.type === 'Ready' ? { ...condition, status: 'False', lastTransitionTime: timestamp() } : condition,
            );
            try {
              await client.patch(
                PODS,
                name,
                { type: 'merge', patch: { metadata: { uid, resourceVersion }, status: { conditions: changed } } },
                { namespace, subresource: 'status' },
              );
            } catch (error) {
              // Its kubelet or its end was faster, so it is heard of.
              if (!isNotFound(error) && !isConflict(error)) throw error;
            }
          }),
        );
      }
    }

    function say(node: LeanNode, reason: string, message: string): void {
      events.event(node, 'Normal', reason, message);
    }
  },
});

function changesTaints(node: LeanNode, old: LeanNode): boolean {
  if (
    node.unschedulable !== old.unschedulable ||
    node.taints.length !== old.taints.length ||
    node.conditions.length !== old.conditions.length
  )
    return true;
  return (
    node.conditions.some(({ type, status }, i) => old.conditions[i]?.type !== type || old.conditions[i]?.status !== status) ||
    node.taints.some(({ key, effect }, i) => old.taints[i]?.key !== key || old.taints[i]?.effect !== effect)
  );
}

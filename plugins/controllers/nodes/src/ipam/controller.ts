import { definePlugin, KubernelError } from '@kubernel/sdk';
import type { KubeObject, Node } from '@kubernel/sdk/api';
import { controllerParts, isConflict, isNotFound, NODES } from '@kubernel/sdk/client';
import { BlockRange } from './ranges.ts';

export interface NodeIpamConfig {
  /** Prefix length of a node's IPv4 pod addresses. Default 24. */
  nodeMaskIPv4?: number;
  /** Default 64. */
  nodeMaskIPv6?: number;
}

interface LeanNode extends KubeObject {
  podCIDRs: readonly string[];
}

/** Gives each node a block of the cluster's pod CIDRs for its pods, once and for good: `spec.podCIDR`. */
export const nodeIpam = definePlugin<'controller/v1', NodeIpamConfig>('controller/v1', 'node-ipam', {
  start(ctx) {
    const { nodeMaskIPv4 = 24, nodeMaskIPv6 = 64 } = ctx.config;
    const ranges = ctx.cluster.podCIDRs.map((cidr) => {
      try {
        return new BlockRange(cidr, cidr.includes(':') ? nodeMaskIPv6 : nodeMaskIPv4);
      } catch (error) {
        throw new KubernelError('ERR_POD_CIDR', (error as Error).message, {
          subject: ctx.id,
          hint: 'look at podCIDRs of the cluster and at nodeMaskIPv4 and nodeMaskIPv6',
        });
      }
    });
    const parts = controllerParts(ctx, 'cidrAllocator');
    const nodes = parts.informers.get<LeanNode>(NODES, { transform: leanNode });
    /** Given to a node whose write the informer has not brought back yet. */
    const given = new Map<string, string[]>();
    // One at a time: two nodes must not be offered the same block. What others have is known before the first.
    const reconciler = parts.reconciler('node-ipam', sync, { workers: 1 });
    reconciler.watch(nodes);
    nodes.on({
      add: occupy,
      update: occupy,
      delete: (node) => {
        const { uid = '' } = node.metadata;
        for (const block of node.podCIDRs.length > 0 ? node.podCIDRs : (given.get(uid) ?? []))
          for (const range of ranges) range.release(block);
        given.delete(uid);
        // Somebody may wait for just this block.
        for (const other of nodes.list()) if (other.podCIDRs.length === 0) reconciler.enqueue(other.metadata.name ?? '');
      },
    });
    return parts.run(reconciler);

    function occupy({ podCIDRs }: LeanNode): void {
      for (const block of podCIDRs) for (const range of ranges) range.occupy(block);
    }

    async function sync(name: string): Promise<void> {
      const node = nodes.get(name);
      const uid = node?.metadata.uid ?? '';
      if (!node || node.podCIDRs.length > 0 || node.metadata.deletionTimestamp) return void given.delete(uid);
      const blocks = given.get(uid) ?? allocate();
      if (!blocks) {
        parts.events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
        return;
      }
      given.set(uid, blocks);
      try {
        await parts.client.patch(NODES, name, {
          type: 'merge',
          patch: { metadata: { uid }, spec: { podCIDR: blocks[0], podCIDRs: blocks } },
        });
      } catch (error) {
        // Gone, or replaced by another of its name.
        if (!isNotFound(error) && !isConflict(error)) throw error;
        given.delete(uid);
        for (const [i, block] of blocks.entries()) ranges[i]?.release(block);
      }
    }

    /** One block of each range, or nothing. */
    function allocate(): string[] | undefined {
      const blocks: string[] = [];
      for (const range of ranges) {
        const block = range.allocate();
        if (block === undefined) {
          for (const [i, taken] of blocks.entries()) ranges[i]?.release(taken);
          return undefined;
        }
        blocks.push(block);
      }
      return blocks;
    }
  },
});

function leanNode(arrived: LeanNode): LeanNode {
  const { name, uid, resourceVersion, deletionTimestamp } = arrived.metadata;
  const { podCIDR, podCIDRs } = (arrived as Node).spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid, resourceVersion, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    podCIDRs: podCIDRs ?? (podCIDR ? [podCIDR] : []),
  };
}

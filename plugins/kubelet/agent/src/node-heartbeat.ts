import type { Logger } from '@kubernel/sdk';
import { statusCode } from '@kubernel/sdk';
import { type KubeObject, type Lease, type Node, type NodeStatus, semanticEqual } from '@kubernel/sdk/api';
import { type Client, LEASES, microTimestamp, NODES, sleep } from '@kubernel/sdk/client';
import { messageOf } from './errors.ts';
import { LEASE_DURATION_SECONDS, LEASE_NAMESPACE, LEASE_RENEW_MS, STATUS_CHECK_MS, STATUS_MAX_AGE_MS } from './settings.ts';

/** A node that reports: what it is now, and whom to tell when its object changes. */
export interface ReportingNode {
  name: string;
  /** The object to create when there is none; its labels are put on one that is there. */
  object(): Node;
  /** The status now, given the conditions the API has. */
  status(stored: Node): Promise<NodeStatus>;
  stored: Node | undefined;
  onStored(node: Node): void;
}

/** How many nodes are written for at one time: a thousand must not make a thousand requests in one tick. */
const BATCH = 50;

/**
 * Registers nodes, renews their leases every 10 s and keeps their status: written when it changed, and every five minutes.
 * https://kubernetes.io/docs/reference/node/node-status/#heartbeats
 */
export class NodeHeartbeat {
  readonly #client: Client;
  readonly #nodes: readonly ReportingNode[];
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #leases = new Map<string, Lease>();
  readonly #written = new Map<string, { status: NodeStatus; at: number }>();
  #checking: Promise<void> | undefined;

  constructor(client: Client, nodes: readonly ReportingNode[], log: Logger, signal: AbortSignal) {
    this.#client = client;
    this.#nodes = nodes;
    this.#log = log;
    this.#signal = signal;
  }

  /** Resolves when every node is registered and ready to be given pods. */
  async start(): Promise<void> {
    await this.#each((node) => this.#untilDone(() => this.#register(node), node));
    await this.checkStatus();
    void this.#forever(LEASE_RENEW_MS, () => this.#each((node) => this.#renew(node)));
    void this.#forever(STATUS_CHECK_MS, () => this.checkStatus());
  }

  /** Writes the status of nodes where it changed, soon. */
  checkStatus(): Promise<void> {
    this.#checking ??= this.#each((node) => this.#report(node)).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #forever(everyMs: number, work: () => Promise<void>): Promise<void> {
    while (!this.#signal.aborted) {
      await work();
      // Spread by a twentieth, so that many agents do not beat as one.
      await sleep(everyMs * (0.95 + Math.random() * 0.1), this.#signal);
    }
  }

  async #each(work: (node: ReportingNode) => Promise<void>): Promise<void> {
    for (let at = 0; at < this.#nodes.length && !this.#signal.aborted; at += BATCH) {
      await Promise.all(
        this.#nodes.slice(at, at + BATCH).map((node) =>
          work(node).catch((error: unknown) => {
            if (!this.#signal.aborted) this.#log.warn('a node could not report', { node: node.name, error: messageOf(error) });
          }),
        ),
      );
    }
  }

  async #untilDone(work: () => Promise<void>, node: ReportingNode): Promise<void> {
    for (let waitMs = 200; !this.#signal.aborted; waitMs = Math.min(waitMs * 2, 7_000)) {
      try {
        return await work();
      } catch (error) {
        this.#log.warn('a node could not be registered', { node: node.name, error: messageOf(error) });
        await sleep(waitMs, this.#signal);
      }
    }
  }

  async #register(node: ReportingNode): Promise<void> {
    const wanted = node.object();
    let stored: Node;
    try {
      stored = await this.#client.create<Node>(NODES, { ...wanted, status: await node.status(wanted) });
    } catch (error) {
      if (statusCode(error) !== 409) throw error;
      stored = await this.#client.get<Node>(NODES, node.name);
      const labels = wanted.metadata.labels ?? {};
      if (Object.entries(labels).some(([key, value]) => stored.metadata.labels?.[key] !== value)) {
        stored = await this.#client.patch<Node>(NODES, node.name, { type: 'merge', patch: { metadata: { labels } } });
      }
    }
    this.#keep(node, stored);
    await this.#renew(node);
  }

  async #report(node: ReportingNode): Promise<void> {
    const { stored } = node;
    if (!stored) return;
    const status = await node.status(stored);
    const written = this.#written.get(node.name);
    const due = !written || Date.now() - written.at > STATUS_MAX_AGE_MS;
    if (!due && semanticEqual(withoutHeartbeat(status), withoutHeartbeat(written.status))) return;
    try {
      const answer = await this.#client.patch<KubeObject>(
        NODES,
        node.name,
        { type: 'merge', patch: { status } },
        { subresource: 'status' },
      );
      this.#written.set(node.name, { status, at: Date.now() });
      this.#keep(node, answer as Node);
    } catch (error) {
      if (statusCode(error) !== 404) throw error;
      // Deleted by somebody while it is alive: it comes back, as any kubelet's does.
      this.#written.delete(node.name);
      await this.#register(node);
    }
  }

  async #renew(node: ReportingNode): Promise<void> {
    const held = this.#leases.get(node.name);
    const spec = { holderIdentity: node.name, leaseDurationSeconds: LEASE_DURATION_SECONDS, renewTime: microTimestamp() };
    try {
      if (held) {
        this.#leases.set(node.name, await this.#client.update(LEASES, { ...held, spec: { ...held.spec, ...spec } }));
        return;
      }
      const { uid = '' } = node.stored?.metadata ?? {};
      const lease: Lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name: node.name,
          namespace: LEASE_NAMESPACE,
          ...(uid ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid }] } : {}),
        },
        spec,
      };
      this.#leases.set(node.name, await this.#client.create(LEASES, lease));
    } catch (error) {
      const code = statusCode(error);
      if (code === 409) this.#leases.set(node.name, await this.#client.get<Lease>(LEASES, node.name, { namespace: LEASE_NAMESPACE }));
      else this.#leases.delete(node.name);
      // The namespace is made by the server a moment after its start; a lease that was deleted is made anew.
      if (code !== 404 && code !== 409) throw error;
    }
  }

  #keep(node: ReportingNode, stored: Node): void {
    node.stored = stored;
    node.onStored(stored);
  }
}

function withoutHeartbeat(status: NodeStatus): NodeStatus {
  return { ...status, conditions: status.conditions?.map(({ lastHeartbeatTime: _, ...condition }) => condition) };
}

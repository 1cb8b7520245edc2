import type { NodeTable, PodInfo } from '@kubernel/sdk';

const NOBODY: readonly PodInfo[] = [];

/** Pods that preemption promised a node: they wait for their victims to go, and nobody of lower priority may slip in. */
export class Nominator {
  #nodeOf = new Map<string, string>();
  #byNode = new Map<string, Map<string, PodInfo>>();

  get size(): number {
    return this.#nodeOf.size;
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid);
  }

  set(info: PodInfo, nodeName: string): void {
    this.delete(info.uid);
    this.#nodeOf.set(info.uid, nodeName);
    let pods = this.#byNode.get(nodeName);
    if (!pods) this.#byNode.set(nodeName, (pods = new Map()));
    pods.set(info.uid, info);
  }

  delete(uid: string): void {
    const nodeName = this.#nodeOf.get(uid);
    if (nodeName === undefined) return;
    this.#nodeOf.delete(uid);
    const pods = this.#byNode.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(nodeName);
  }

  /** Slots someone is nominated to. */
  slots(nodes: NodeTable): number[] {
    return [...this.#byNode.keys()].map((name) => nodes.slot(name)).filter((slot) => slot >= 0);
  }

  on(slot: number, nodes: NodeTable): readonly PodInfo[] {
    const pods = this.#byNode.get(nodes.name(slot));
    return pods ? [...pods.values()] : NOBODY;
  }

  /** Those whose claim on the node comes before this pod's: of its priority or a higher one. */
  ahead(pod: PodInfo, slot: number, nodes: NodeTable): readonly PodInfo[] {
    return this.on(slot, nodes).filter((other) => other.uid !== pod.uid && other.priority >= pod.priority);
  }
}

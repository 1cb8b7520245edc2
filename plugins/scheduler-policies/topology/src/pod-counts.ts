import type { ClusterView, PodInfo } from '@kubernel/sdk';
import type { Selector } from '@kubernel/sdk/api';
import { SelectorIndex } from './selector-index.ts';
import { NodeTally } from './tally.ts';

/** Which pods are counted. */
export interface PodQuery {
  /** Equal keys mean equal queries. */
  readonly key: string;
  readonly selectors: readonly Selector[];
  matches(pod: PodInfo): boolean;
  /** Its answer depends on labels of namespaces. */
  readonly byNamespaceLabels?: boolean;
}

class PodCount extends NodeTally {
  readonly query: PodQuery;
  readonly selectors: readonly Selector[];
  usedAt = 0;

  constructor(query: PodQuery) {
    super();
    this.query = query;
    this.selectors = query.selectors;
  }
}

/** Queries kept counted. One that was dropped is counted anew, over all pods, when it is asked for again. */
const KEPT = 4096;

/** How many pods match each query that waiting pods ask, on every node. */
export class PodCounts {
  readonly #counts = new Map<string, PodCount>();
  readonly #index = new SelectorIndex<PodCount>();
  readonly #cluster: ClusterView;
  #uses = 0;

  constructor(cluster: ClusterView) {
    this.#cluster = cluster;
  }

  of(query: PodQuery): NodeTally {
    let count = this.#counts.get(query.key);
    if (!count) {
      if (this.#counts.size >= KEPT) this.#dropOld();
      count = new PodCount(query);
      const { nodes } = this.#cluster;
      for (let slot = 0; slot < nodes.size; slot++) {
        for (const pod of this.#cluster.pods(slot)) if (query.matches(pod)) count.add(slot, 1);
      }
      this.#counts.set(query.key, count);
      this.#index.add(count);
    }
    count.usedAt = ++this.#uses;
    return count;
  }

  podAdded(pod: PodInfo, slot: number): void {
    this.#change(pod, slot, 1);
  }

  podRemoved(pod: PodInfo, slot: number): void {
    this.#change(pod, slot, -1);
  }

  nodesChanged(): void {
    for (const count of this.#counts.values()) count.nodesChanged();
  }

  /** Labels of a namespace changed. */
  namespacesChanged(): void {
    for (const count of this.#counts.values()) if (count.query.byNamespaceLabels) this.#drop(count);
  }

  #change(pod: PodInfo, slot: number, delta: 1 | -1): void {
    this.#index.candidates(pod.labels, (count) => {
      if (count.query.matches(pod)) count.add(slot, delta);
    });
  }

  #dropOld(): void {
    const byUse = [...this.#counts.values()].sort((a, b) => a.usedAt - b.usedAt);
    for (const count of byUse.slice(0, byUse.length / 2)) this.#drop(count);
  }

  #drop(count: PodCount): void {
    this.#counts.delete(count.query.key);
    this.#index.remove(count);
  }
}

import type { LabelColumn, NodeTable } from '@kubernel/sdk';
import type { NodeTally, TallyView } from './tally.ts';

/**
 * How many pods a constraint counts in each of its domains, over the nodes that are eligible, kept up to date as pods come
 * and go. A change of nodes makes it stale; it is then summed anew from the counts per node.
 */
export class SpreadTally implements TallyView {
  readonly column: LabelColumn;
  readonly pods: NodeTally;
  stale = true;
  /** By value id. */
  sums = new Int32Array(16);
  /** Eligible nodes by value id: a domain is one that has any. */
  nodeCounts = new Int32Array(16);
  domainCount = 0;
  #nodes: NodeTable;
  #eligible: () => Int32Array;

  constructor(pods: NodeTally, column: LabelColumn, nodes: NodeTable, eligible: () => Int32Array) {
    this.pods = pods;
    this.column = column;
    this.#nodes = nodes;
    this.#eligible = eligible;
  }

  refresh(): this {
    if (this.stale) this.#rebuild();
    if (this.sums.length < this.column.size) this.#grow();
    return this;
  }

  add(slot: number, delta: number): void {
    if (this.#eligible()[slot] === 0) return;
    const id = this.column.ids[slot] as number;
    if (id === 0) return;
    if (id >= this.sums.length) this.#grow();
    this.sums[id] = (this.sums[id] as number) + delta;
  }

  /** Pods in the emptiest domain; 0 while there are fewer domains than `minDomains`. */
  smallest(minDomains: number): number {
    if (this.domainCount < minDomains || this.domainCount === 0) return 0;
    let min = Number.POSITIVE_INFINITY;
    const { sums, nodeCounts } = this;
    for (let id = 1; id < sums.length; id++) if (nodeCounts[id] !== 0 && (sums[id] as number) < min) min = sums[id] as number;
    return min;
  }

  #grow(): void {
    this.sums = resized(this.sums, this.column.size);
    this.nodeCounts = resized(this.nodeCounts, this.column.size);
  }

  #rebuild(): void {
    const size = Math.max(this.column.size, 16);
    this.sums = new Int32Array(size);
    this.nodeCounts = new Int32Array(size);
    this.domainCount = 0;
    this.stale = false;
    const eligible = this.#eligible();
    const { live, size: slots } = this.#nodes;
    const { ids } = this.column;
    const { perNode } = this.pods;
    for (let slot = 0; slot < slots; slot++) {
      const id = ids[slot] as number;
      if (live[slot] === 0 || id === 0 || eligible[slot] === 0) continue;
      if (this.nodeCounts[id] === 0) this.domainCount++;
      this.nodeCounts[id] = (this.nodeCounts[id] as number) + 1;
      this.sums[id] = (this.sums[id] as number) + (perNode[slot] ?? 0);
    }
  }
}

function resized(old: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(size, old.length * 2));
  larger.set(old);
  return larger;
}

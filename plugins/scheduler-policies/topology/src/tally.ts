import type { LabelColumn } from '@kubernel/sdk';

/**
 * A number for each node (how many pods match a selector; the weights that pods there carry), and its sums over topology
 * domains. Both are kept up to date as pods come and go, which is what makes affinity cheap: no cycle walks pods.
 */
export class NodeTally {
  perNode = new Int32Array(64);
  readonly #views = new Map<string, TallyView>();

  add(slot: number, delta: number): void {
    if (slot >= this.perNode.length) this.#grow(slot);
    this.perNode[slot] = (this.perNode[slot] as number) + delta;
    for (const view of this.#views.values()) if (!view.stale) view.add(slot, delta);
  }

  /** Sums that follow this tally; made on first use. */
  view<V extends TallyView>(key: string, create: () => V): V {
    let view = this.#views.get(key) as V | undefined;
    if (!view) {
      view = create();
      this.#views.set(key, view);
    }
    return view;
  }

  /** Sums over the domains of this label. */
  domains(column: LabelColumn): DomainTally {
    return this.view(column.key, () => new DomainTally(this, column));
  }

  /** Nodes came, went or changed: sums are made anew when next asked for. */
  nodesChanged(): void {
    for (const view of this.#views.values()) view.stale = true;
  }

  #grow(slot: number): void {
    const larger = new Int32Array(Math.max(slot + 1, this.perNode.length * 2));
    larger.set(this.perNode);
    this.perNode = larger;
  }
}

/** Sums over some nodes of a {@link NodeTally}. */
export interface TallyView {
  /** Has to be summed from the tally before it is read; additions pass it by until then. */
  stale: boolean;
  add(slot: number, delta: number): void;
}

export class DomainTally implements TallyView {
  readonly column: LabelColumn;
  stale = true;
  /** By label value id; 0 stands for nodes without the label, and stays 0. */
  #sums = new Int32Array(16);
  #total = 0;
  #nodes: NodeTally;

  constructor(nodes: NodeTally, column: LabelColumn) {
    this.#nodes = nodes;
    this.column = column;
  }

  /** Indexed by value id; at least as long as the column has ids. Valid until the next change. */
  get sums(): Int32Array {
    if (this.stale) this.#rebuild();
    if (this.#sums.length < this.column.size) this.#grow(this.column.size);
    return this.#sums;
  }

  /** Over all domains. */
  get total(): number {
    if (this.stale) this.#rebuild();
    return this.#total;
  }

  add(slot: number, delta: number): void {
    const id = this.column.ids[slot] as number;
    if (id === 0) return;
    if (id >= this.#sums.length) this.#grow(id + 1);
    this.#sums[id] = (this.#sums[id] as number) + delta;
    this.#total += delta;
  }

  #rebuild(): void {
    this.stale = false;
    this.#sums.fill(0);
    this.#total = 0;
    const { perNode } = this.#nodes;
    for (let slot = 0; slot < perNode.length; slot++) if (perNode[slot] !== 0) this.add(slot, perNode[slot] as number);
  }

  #grow(size: number): void {
    const larger = new Int32Array(Math.max(size, this.#sums.length * 2));
    larger.set(this.#sums);
    this.#sums = larger;
  }
}

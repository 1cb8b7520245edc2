/** Chooses the best node; among equals by a seeded random number, so that a run can be repeated. */
export class HostSelector {
  #state: number;
  #ties = new Int32Array(0);

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  select(nodes: Int32Array, totals: Float64Array): number {
    if (this.#ties.length < nodes.length) this.#ties = new Int32Array(nodes.length * 2);
    const ties = this.#ties;
    let best = Number.NEGATIVE_INFINITY;
    let count = 0;
    for (let k = 0; k < nodes.length; k++) {
      const total = totals[k] as number;
      if (total < best) continue;
      if (total > best) {
        best = total;
        count = 0;
      }
      ties[count++] = nodes[k] as number;
    }
    return ties[count === 1 ? 0 : Math.floor(this.#random() * count)] as number;
  }

  /** mulberry32: 0 <= x < 1. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

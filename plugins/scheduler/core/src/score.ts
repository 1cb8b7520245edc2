import type { PodCycle } from '@kubernel/sdk';
import type { Framework } from './framework.ts';

/** PreScore, Score and NormalizeScore: each feasible node's weighted sum. */
export class ScorePhase {
  #scores = new Float64Array(0);
  #totals = new Float64Array(0);

  /** `result[k]` belongs to `nodes[k]`; valid until the next run. */
  run(framework: Framework, cycle: PodCycle, nodes: Int32Array): Float64Array {
    const count = nodes.length;
    if (this.#totals.length < count) {
      this.#scores = new Float64Array(count * 2);
      this.#totals = new Float64Array(count * 2);
    }
    const scores = this.#scores.subarray(0, count);
    const totals = this.#totals.subarray(0, count);
    totals.fill(0);
    for (const { instance, weight } of framework.scorers) {
      if (instance.preScore?.(cycle, nodes) === 'skip') continue;
      if (instance.scoreAll) instance.scoreAll(cycle, nodes, scores);
      else for (let k = 0; k < count; k++) scores[k] = instance.score?.(cycle, nodes[k] as number) ?? 0;
      instance.normalize?.(cycle, nodes, scores);
      for (let k = 0; k < count; k++) totals[k] = (totals[k] as number) + weight * (scores[k] as number);
    }
    return totals;
  }
}

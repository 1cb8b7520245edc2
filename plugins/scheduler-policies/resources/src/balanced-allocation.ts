import type { SchedulerPolicy } from '@kubernel/sdk';
import { CPU_AND_MEMORY, type Demand, demands, type WeightedResource } from './scored-resources.ts';

/** Config of `scheduler-policy/balanced-allocation`: upstream's NodeResourcesBalancedAllocationArgs. */
export interface BalancedAllocationArgs {
  resources?: WeightedResource[];
}

/** Prefers nodes whose resources fill up evenly: 100 less the standard deviation of the used shares, in percent. */
export const balancedAllocation: SchedulerPolicy = {
  name: 'NodeResourcesBalancedAllocation',
  create: ({ cluster: { nodes } }, args) => {
    const resources = (args as BalancedAllocationArgs).resources ?? CPU_AND_MEMORY;
    let wanted: Demand[] = [];
    return {
      preScore({ pod }) {
        wanted = demands(pod, nodes, resources, false);
        // A pod that asks for nothing balances nothing: it would pile up on one node.
        return wanted.every((demand) => demand.wanted === 0) ? 'skip' : undefined;
      },
      scoreAll(_, feasible, scores) {
        const [first, second] = wanted;
        if (wanted.length === 2 && first && second) balancePair(first, second, feasible, scores);
        else balanceMany(wanted, feasible, scores);
      },
    };
  },
};

function balancePair(a: Demand, b: Demand, nodes: Int32Array, scores: Float64Array): void {
  const { allocatable: capacityA, requested: usedA, wanted: wantedA } = a;
  const { allocatable: capacityB, requested: usedB, wanted: wantedB } = b;
  for (let k = 0; k < nodes.length; k++) {
    const slot = nodes[k] as number;
    const ca = capacityA[slot] as number;
    const cb = capacityB[slot] as number;
    if (ca === 0 || cb === 0) {
      scores[k] = 100;
      continue;
    }
    let shareA = ((usedA[slot] as number) + wantedA) / ca;
    let shareB = ((usedB[slot] as number) + wantedB) / cb;
    if (shareA > 1) shareA = 1;
    if (shareB > 1) shareB = 1;
    scores[k] = Math.trunc((1 - Math.abs((shareA - shareB) / 2)) * 100);
  }
}

function balanceMany(wanted: readonly Demand[], nodes: Int32Array, scores: Float64Array): void {
  const shares: number[] = [];
  for (let k = 0; k < nodes.length; k++) {
    const slot = nodes[k] as number;
    shares.length = 0;
    for (const { allocatable, requested, wanted: more } of wanted) {
      const capacity = allocatable[slot] as number;
      if (capacity !== 0) shares.push(Math.min(1, ((requested[slot] as number) + more) / capacity));
    }
    scores[k] = Math.trunc((1 - deviation(shares)) * 100);
  }
}

function deviation(shares: readonly number[]): number {
  if (shares.length < 2) return 0;
  if (shares.length === 2) return Math.abs(((shares[0] as number) - (shares[1] as number)) / 2);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
}

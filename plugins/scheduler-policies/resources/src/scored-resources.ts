import { CPU, MEMORY, type NodeTable, type PodInfo } from '@kubernel/sdk';

export interface WeightedResource {
  name: string;
  /** Default 1. */
  weight?: number;
}

/** Resources that a score looks at, where the config names none. */
export const CPU_AND_MEMORY: readonly WeightedResource[] = [{ name: 'cpu' }, { name: 'memory' }];

/** One resource of a score, for one pod: arrays to read and what the pod adds. */
export interface Demand {
  allocatable: Float64Array;
  requested: Float64Array;
  /** What the pod would add to `requested`. */
  wanted: number;
  weight: number;
}

/**
 * The resources to score for this pod. cpu and memory always count, `nonZero` with the defaults of containers that ask for
 * nothing; an extended resource counts only for pods that ask for it, lest they avoid or seek its nodes.
 */
export function demands(pod: PodInfo, nodes: NodeTable, resources: readonly WeightedResource[], nonZero: boolean): Demand[] {
  const result: Demand[] = [];
  for (const { name, weight = 1 } of resources) {
    const column = nodes.resource(name);
    const allocatable = nodes.allocatable[column] as Float64Array;
    if (nonZero && column === CPU) {
      result.push({ allocatable, requested: nodes.nonZeroMilliCpu, wanted: pod.nonZeroMilliCpu, weight });
    } else if (nonZero && column === MEMORY) {
      result.push({ allocatable, requested: nodes.nonZeroMemory, wanted: pod.nonZeroMemory, weight });
    } else {
      const wanted = amountOf(pod, column);
      if (wanted === 0 && isExtended(name)) continue;
      result.push({ allocatable, requested: nodes.requested[column] as Float64Array, wanted, weight });
    }
  }
  return result;
}

export function amountOf({ requests }: PodInfo, column: number): number {
  const at = requests.columns.indexOf(column);
  return at < 0 ? 0 : (requests.amounts[at] as number);
}

function isExtended(name: string): boolean {
  return name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage' && name !== 'pods';
}

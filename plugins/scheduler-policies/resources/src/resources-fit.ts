import { ClusterEvents, PASS, PODS, type PodInfo, type SchedulerPolicy, UNRESOLVABLE, UNSCHEDULABLE } from '@kubernel/sdk';
import { CPU_AND_MEMORY, demands, type WeightedResource } from './scored-resources.ts';
import { leastAllocated, mostAllocated, requestedToCapacityRatio, type ShapePoint, type Strategy } from './strategies.ts';

/** Config of `scheduler-policy/resources-fit`: upstream's NodeResourcesFitArgs. */
export interface FitArgs {
  /** Extended resources that are not checked. */
  ignoredResources?: string[];
  /** `example.com`: none of that domain's resources is checked. */
  ignoredResourceGroups?: string[];
  scoringStrategy?: {
    type?: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio';
    resources?: WeightedResource[];
    requestedToCapacityRatio?: { shape?: ShapePoint[] };
  };
}

/** The node has room for what the pod requests, in every resource and in the number of pods; emptier nodes are better. */
export const resourcesFit: SchedulerPolicy = {
  name: 'NodeResourcesFit',
  create: ({ cluster: { nodes } }, args) => {
    const { ignoredResources = [], ignoredResourceGroups = [], scoringStrategy = {} } = args as FitArgs;
    const resources = scoringStrategy.resources ?? CPU_AND_MEMORY;
    const strategy = strategyOf(scoringStrategy);
    const reasonTexts: string[] = [];
    const ignored: boolean[] = [];

    function isIgnored(column: number): boolean {
      return (ignored[column] ??=
        ignoredResources.includes(nodes.resourceName(column)) || ignoredResourceGroups.includes(groupOf(nodes.resourceName(column))));
    }

    function reasonOf(column: number): string {
      return (reasonTexts[column] ??= column === PODS ? 'Too many pods' : `Insufficient ${nodes.resourceName(column)}`);
    }

    function lacks(slot: number, column: number, wanted: number): boolean {
      return (
        wanted > ((nodes.allocatable[column] as Float64Array)[slot] as number) - ((nodes.requested[column] as Float64Array)[slot] as number)
      );
    }

    function fits({ requests: { columns, amounts } }: PodInfo, slot: number): boolean {
      return columns.every((column, i) => isIgnored(column) || !lacks(slot, column, amounts[i] as number));
    }

    const fitsThere = (pod: PodInfo, { node }: { node: number }) => node < 0 || fits(pod, node);

    return {
      filter({ pod }, slot) {
        const { columns, amounts } = pod.requests;
        let verdict: 0 | 1 | 2 = PASS;
        for (let i = 0; i < columns.length; i++) {
          const column = columns[i] as number;
          const wanted = amounts[i] as number;
          if (isIgnored(column) || !lacks(slot, column, wanted)) continue;
          if (column !== PODS && wanted > ((nodes.allocatable[column] as Float64Array)[slot] as number)) return UNRESOLVABLE;
          verdict = UNSCHEDULABLE;
        }
        return verdict;
      },
      filterAll({ pod }, verdicts, mark) {
        const { columns, amounts } = pod.requests;
        for (let i = 0; i < columns.length; i++) {
          const column = columns[i] as number;
          if (isIgnored(column)) continue;
          const wanted = amounts[i] as number;
          const allocatable = nodes.allocatable[column] as Float64Array;
          const requested = nodes.requested[column] as Float64Array;
          for (let slot = 0; slot < nodes.size; slot++) {
            if (wanted <= (allocatable[slot] as number) - (requested[slot] as number)) continue;
            // Also where another resource lacked already: if this one can't be had at all, preemption is no help.
            if (verdicts[slot] === 0 || verdicts[slot] === mark) {
              verdicts[slot] = column !== PODS && wanted > (allocatable[slot] as number) ? mark + 1 : mark;
            }
          }
        }
      },
      reasons({ pod }, slot) {
        const { columns, amounts } = pod.requests;
        return columns.filter((column, i) => !isIgnored(column) && lacks(slot, column, amounts[i] as number)).map(reasonOf);
      },
      // Exact: the pod is looked at again when it has room on the very node that changed.
      events: [
        { events: ClusterEvents.PodGone | ClusterEvents.PodScaledDown, hint: fitsThere },
        { events: ClusterEvents.NodeAdded | ClusterEvents.NodeAllocatable, hint: fitsThere },
      ],
      scoreAll({ pod }, feasible, scores) {
        strategy(demands(pod, nodes, resources, true), feasible, scores);
      },
    };
  },
};

function strategyOf({ type = 'LeastAllocated', requestedToCapacityRatio: ratio }: NonNullable<FitArgs['scoringStrategy']>): Strategy {
  if (type === 'MostAllocated') return mostAllocated;
  if (type === 'RequestedToCapacityRatio') return requestedToCapacityRatio(ratio?.shape ?? []);
  return leastAllocated;
}

function groupOf(resource: string): string {
  const slash = resource.indexOf('/');
  return slash < 0 ? '' : resource.slice(0, slash);
}

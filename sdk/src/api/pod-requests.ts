import type { Container, ContainerStatus, Pod } from './kinds/index.ts';
import { quantityMillis, quantityValue } from './quantity.ts';

/** Resource name -> amount: cpu in thousandths, all others in units, rounded up. */
export type ResourceAmounts = Map<string, number>;

export interface PodRequests {
  /** What the pod takes from its node. */
  effective: ResourceAmounts;
  /** Scoring counts a container without a cpu request as 100m and one without a memory request as 200 MiB. */
  nonZeroMilliCpu: number;
  nonZeroMemory: number;
}

const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

/**
 * The effective request of a pod: containers and sidecars (init containers with restartPolicy Always) together, or the
 * largest init container with the sidecars started before it, whichever is more; pod-level requests replace that sum for
 * the resources they name (KEP-2837); overhead comes on top (KEP-688). While a resize is under way a container counts the
 * largest of what it asks for, has been allocated and runs with; an infeasible resize is not counted (KEP-1287).
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function effectiveRequests(pod: Pod): PodRequests {
  const { spec, status } = pod;
  const infeasible = status?.conditions?.some(
    (condition) => condition.type === 'PodResizePending' && condition.status === 'True' && condition.reason === 'Infeasible',
  );
  const exact = new Sum();
  const nonZero = new Sum();
  for (const container of spec.containers) {
    const requests = containerRequests(container, status?.containerStatuses, infeasible);
    exact.add(requests);
    nonZero.add(withDefaults(requests));
  }
  sumInitContainers(pod, exact, (requests) => requests, infeasible);
  sumInitContainers(pod, nonZero, withDefaults, infeasible);
  const podLevel = spec.resources?.requests;
  if (podLevel) {
    for (const [name, amount] of amounts(podLevel)) {
      exact.total.set(name, amount);
      nonZero.total.set(name, amount);
    }
  }
  if (spec.overhead) {
    const overhead = amounts(spec.overhead);
    exact.add(overhead);
    nonZero.add(overhead);
  }
  return {
    effective: exact.total,
    nonZeroMilliCpu: nonZero.total.get('cpu') ?? 0,
    nonZeroMemory: nonZero.total.get('memory') ?? 0,
  };
}

class Sum {
  readonly total: ResourceAmounts = new Map();

  add(more: ResourceAmounts): void {
    for (const [name, amount] of more) this.total.set(name, (this.total.get(name) ?? 0) + amount);
  }

  atLeast(floor: ResourceAmounts): void {
    for (const [name, amount] of floor) if (amount > (this.total.get(name) ?? 0)) this.total.set(name, amount);
  }
}

function sumInitContainers(
  pod: Pod,
  sum: Sum,
  adjust: (requests: ResourceAmounts) => ResourceAmounts,
  infeasible: boolean | undefined,
): void {
  const initContainers = pod.spec.initContainers;
  if (!initContainers?.length) return;
  const sidecars = new Sum();
  const peak = new Sum();
  for (const container of initContainers) {
    if (container.restartPolicy === 'Always') {
      const requests = adjust(containerRequests(container, pod.status?.initContainerStatuses, infeasible));
      sum.add(requests);
      sidecars.add(requests);
      peak.atLeast(sidecars.total);
    } else {
      const running = new Sum();
      running.add(sidecars.total);
      running.add(adjust(amounts(container.resources?.requests)));
      peak.atLeast(running.total);
    }
  }
  sum.atLeast(peak.total);
}

function containerRequests(
  container: Container,
  statuses: readonly ContainerStatus[] | undefined,
  infeasible: boolean | undefined,
): ResourceAmounts {
  const wanted = amounts(container.resources?.requests);
  const status = statuses?.find((candidate) => candidate.name === container.name);
  if (!status?.resources && !status?.allocatedResources) return wanted;
  const largest = new Sum();
  if (!infeasible) largest.atLeast(wanted);
  if (status.resources?.requests) largest.atLeast(amounts(status.resources.requests));
  if (status.allocatedResources) largest.atLeast(amounts(status.allocatedResources));
  return largest.total;
}

function withDefaults(requests: ResourceAmounts): ResourceAmounts {
  if (requests.has('cpu') && requests.has('memory')) return requests;
  const filled = new Map(requests);
  if (!filled.has('cpu')) filled.set('cpu', DEFAULT_MILLI_CPU);
  if (!filled.has('memory')) filled.set('memory', DEFAULT_MEMORY);
  return filled;
}

/** A ResourceList as numbers. */
export function amounts(list: Record<string, string | number> | undefined): ResourceAmounts {
  const result: ResourceAmounts = new Map();
  for (const name in list) result.set(name, resourceAmount(name, list[name] as string | number));
  return result;
}

/** One entry of a ResourceList: thousandths for cpu, units for all others. */
export function resourceAmount(name: string, quantity: string | number): number {
  return name === 'cpu' ? quantityMillis(quantity) : quantityValue(quantity);
}

import { effectiveRequests, type Pod } from '../api/index.ts';
import { type NodeTable, PODS, type PodInfo, type ResourceVector } from '../roles/scheduler-policy.ts';

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

/** Parses what scheduling needs of a pod, once. Resources the table has not met get a column. */
export class ParsedPod implements PodInfo {
  pod: Pod;
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly requests: ResourceVector;
  readonly nonZeroMilliCpu: number;
  readonly nonZeroMemory: number;
  readonly terminating: boolean;

  constructor(pod: Pod, nodes: NodeTable) {
    const { metadata, spec } = pod;
    this.pod = pod;
    this.namespace = metadata.namespace ?? '';
    this.name = metadata.name ?? '';
    this.key = `${this.namespace}/${this.name}`;
    this.uid = metadata.uid ?? this.key;
    this.labels = metadata.labels ?? NO_LABELS;
    this.priority = spec.priority ?? 0;
    this.terminating = metadata.deletionTimestamp !== undefined;
    const { effective, nonZeroMilliCpu, nonZeroMemory } = effectiveRequests(pod);
    const columns = [PODS];
    const amounts = [1];
    for (const [name, amount] of effective) {
      if (amount === 0) continue;
      columns.push(nodes.resource(name));
      amounts.push(amount);
    }
    this.requests = { columns, amounts };
    this.nonZeroMilliCpu = nonZeroMilliCpu;
    this.nonZeroMemory = nonZeroMemory;
  }
}

/** Would the placed pod be counted differently? Status heartbeats are not: they keep the parsed pod. */
export function countsDifferently(info: PodInfo, pod: Pod): boolean {
  if (info.pod === pod) return false;
  const old = info.pod;
  return (
    (pod.metadata.deletionTimestamp !== undefined) !== info.terminating ||
    !sameLabels(info.labels, pod.metadata.labels ?? NO_LABELS) ||
    !sameSpec(old, pod) ||
    !sameAllocations(old.status?.containerStatuses, pod.status?.containerStatuses) ||
    !sameAllocations(old.status?.initContainerStatuses, pod.status?.initContainerStatuses) ||
    resizeInfeasible(old) !== resizeInfeasible(pod)
  );
}

type Allocations = NonNullable<Pod['status']>['containerStatuses'];

/** The generation moves with the spec, where the server counts it. */
function sameSpec(old: Pod, pod: Pod): boolean {
  if (old.metadata.generation !== undefined && old.metadata.generation === pod.metadata.generation) return true;
  return sameJson(old.spec.containers, pod.spec.containers) && sameJson(old.spec.resources, pod.spec.resources);
}

function sameAllocations(left: Allocations, right: Allocations): boolean {
  return sameJson(allocations(left), allocations(right));
}

function allocations(statuses: Allocations): unknown[] | undefined {
  const told = statuses?.filter(({ resources, allocatedResources }) => resources || allocatedResources);
  return told?.length ? told.map(({ name, resources, allocatedResources }) => [name, resources?.requests, allocatedResources]) : undefined;
}

function resizeInfeasible(pod: Pod): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'PodResizePending' && condition.reason === 'Infeasible') ?? false;
}

function sameJson(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

function sameLabels(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  let count = 0;
  for (const key in left) {
    if (left[key] !== right[key]) return false;
    count++;
  }
  for (const _ in right) count--;
  return count === 0;
}

/** A pod that has run its course takes nothing from its node. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

import type { LinuxContainerResources } from '@kubernel/sdk';
import { type Container, type Pod, quantityMillis, quantityValue } from '@kubernel/sdk/api';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClass(pod: Pod): QosClass {
  const recorded = pod.status?.qosClass;
  if (recorded) return recorded;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const { resources = {} } of containers) {
    for (const name of ['cpu', 'memory']) {
      const limit = resources.limits?.[name];
      const request = resources.requests?.[name] ?? limit;
      if (request !== undefined && quantityMillis(request) > 0) any = true;
      if (limit !== undefined && quantityMillis(limit) > 0) any = true;
      if (limit === undefined || quantityMillis(limit) !== quantityMillis(request)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const CPU_PERIOD_US = 100_000;
/** The kernel's smallest quota. */
const MIN_QUOTA_US = 1_000;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

export function cpuShares(milliCpu: number): number {
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milliCpu * 1024) / 1000)));
}

/** Requests and limits as cgroup values. https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ */
export function linuxResources(pod: Pod, container: Container, nodeMemoryBytes: number): LinuxContainerResources {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const cpuLimit = quantityMillis(limits.cpu);
  const memoryLimit = quantityValue(limits.memory);
  const result: LinuxContainerResources = {
    // A limit without a request is also the request.
    cpuShares: cpuShares(quantityMillis(requests.cpu ?? limits.cpu)),
    oomScoreAdj: oomScoreAdj(pod, container, nodeMemoryBytes),
  };
  if (cpuLimit > 0) {
    result.cpuPeriod = CPU_PERIOD_US;
    result.cpuQuota = Math.max(MIN_QUOTA_US, Math.ceil((cpuLimit * CPU_PERIOD_US) / 1000));
  }
  if (memoryLimit > 0) result.memoryLimitInBytes = memoryLimit;
  return result;
}

/** Who dies first when memory runs out: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior */
export function oomScoreAdj(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = quantityValue(container.resources?.requests?.memory ?? container.resources?.limits?.memory);
  return Math.round(Math.min(999, Math.max(3, 1000 - Math.floor((1000 * request) / nodeMemoryBytes))));
}

export function podCgroup(root: string, pod: Pod): string {
  const qos = qosClass(pod);
  return `${root}${qos === 'Guaranteed' ? '' : `/${qos.toLowerCase()}`}/pod${pod.metadata.uid}`;
}

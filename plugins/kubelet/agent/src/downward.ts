import { type Container, type Pod, parseQuantity } from '@kubernel/sdk/api';
import { ContainerWaiting } from './errors.ts';
import type { ResourceFieldRef } from './pod-fields.ts';

export interface DownwardInputs {
  pod: Pod;
  podIPs: readonly string[];
  hostIPs: readonly string[];
  /** Of the node: what a container without a limit is told. */
  allocatable: Readonly<Record<string, string>>;
}

/**
 * A pod's own field as text; undefined where the path names nothing that is known.
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#available-fields
 */
export function downwardField(path: string, { pod, podIPs, hostIPs }: DownwardInputs): string | undefined {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return lines(metadata.labels);
    case 'metadata.annotations':
      return lines(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName;
    case 'status.podIP':
      return podIPs[0] ?? '';
    case 'status.podIPs':
      return podIPs.join(',');
    case 'status.hostIP':
      return hostIPs[0] ?? '';
    case 'status.hostIPs':
      return hostIPs.join(',');
    default:
      return undefined;
  }
}

function lines(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** A container's request or limit in units of the divisor, rounded up. Without a limit: what the node can give. */
export function downwardResource(ref: ResourceFieldRef, own: Container, { pod, allocatable }: DownwardInputs): string {
  const container = ref.containerName
    ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === ref.containerName)
    : own;
  if (!container) throw new ContainerWaiting('CreateContainerConfigError', `container ${ref.containerName} not found`);
  const [kind, ...rest] = ref.resource.split('.');
  const name = rest.join('.');
  const { limits = {}, requests = {} } = container.resources ?? {};
  const text = kind === 'limits' ? (limits[name] ?? allocatable[name]) : (requests[name] ?? limits[name]);
  const amount = parseQuantity(text ?? '0').nanos;
  const divisor = parseQuantity(ref.divisor && ref.divisor !== '0' ? ref.divisor : '1').nanos;
  return String((amount + divisor - 1n) / divisor);
}

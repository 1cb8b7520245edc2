import type { Container, EndpointPort, KubeObject, Pod, Service } from '@kubernel/sdk/api';
import { getCondition } from '@kubernel/sdk/client';

/** Pods as far as services look at them. */
export interface LeanPod extends KubeObject {
  nodeName: string;
  hostname: string;
  subdomain: string;
  ips: string[];
  finished: boolean;
  ready: boolean;
  /** When readiness last changed, RFC 3339. */
  readyChanged: string;
  /** Container ports that have a name, as `protocol/name`. */
  namedPorts: Record<string, number>;
}

export function leanPod(arrived: LeanPod): LeanPod {
  const { name, namespace, uid, resourceVersion, labels, deletionTimestamp } = arrived.metadata;
  const { spec, status = {} } = arrived as unknown as Pod;
  const ready = getCondition(status.conditions, 'Ready');
  return {
    metadata: { name, namespace, uid, resourceVersion, labels, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    nodeName: spec.nodeName ?? '',
    hostname: spec.hostname ?? '',
    subdomain: spec.subdomain ?? '',
    ips: status.podIPs?.map(({ ip }) => ip) ?? (status.podIP ? [status.podIP] : []),
    finished: status.phase === 'Succeeded' || status.phase === 'Failed',
    ready: ready?.status === 'True',
    readyChanged: ready?.lastTransitionTime ?? '',
    namedPorts: namedPorts(spec.containers, spec.initContainers),
  };
}

/** Ports of containers and of sidecars (init containers that go on running). The first of a name wins. */
function namedPorts(containers: readonly Container[], initContainers: readonly Container[] = []): Record<string, number> {
  const ports: Record<string, number> = {};
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const container of [...containers, ...sidecars]) {
    for (const { name, protocol = 'TCP', containerPort } of container.ports ?? []) if (name) ports[`${protocol}/${name}`] ??= containerPort;
  }
  return ports;
}

/** What an endpoint shows of a pod: while this is the same, a change of the pod is of no interest here. */
export function sameForEndpoints(a: LeanPod, b: LeanPod): boolean {
  return (
    a.ready === b.ready &&
    a.finished === b.finished &&
    a.nodeName === b.nodeName &&
    a.metadata.uid === b.metadata.uid &&
    Boolean(a.metadata.deletionTimestamp) === Boolean(b.metadata.deletionTimestamp) &&
    a.ips.join() === b.ips.join() &&
    JSON.stringify(a.metadata.labels) === JSON.stringify(b.metadata.labels) &&
    JSON.stringify(a.namedPorts) === JSON.stringify(b.namedPorts)
  );
}

export const familyOf = (ip: string): 'IPv4' | 'IPv6' => (ip.includes(':') ? 'IPv6' : 'IPv4');

/** The ports of a service on one pod; those that a pod does not have by their name are left out. */
export function portsOn(service: Service, pod: LeanPod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const { name = '', protocol = 'TCP', port, targetPort, appProtocol } of service.spec.ports ?? []) {
    const number =
      targetPort === undefined || targetPort === 0 || targetPort === ''
        ? port
        : typeof targetPort === 'number'
          ? targetPort
          : pod.namedPorts[`${protocol}/${targetPort}`];
    if (number !== undefined) ports.push({ name, protocol, port: number, ...(appProtocol ? { appProtocol } : {}) });
  }
  return ports;
}

/** A pod's own DNS name below a headless service: `hostname.subdomain`. */
export function hostnameIn(service: Service, pod: LeanPod): string | undefined {
  return pod.hostname !== '' && pod.subdomain === service.metadata.name ? pod.hostname : undefined;
}

export const isHeadless = (service: Service): boolean => service.spec.clusterIP === 'None' || !service.spec.clusterIP;

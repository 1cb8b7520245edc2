import type { Endpoint, Service } from '@kubernel/sdk/api';
import { familyOf, hostnameIn, type LeanPod, portsOn } from '../pods.ts';
import { type EndpointGroup, portsKey } from './plan.ts';

/** The endpoints of a service, grouped by address type and ports (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/). */
export function endpointGroups(
  service: Service,
  pods: readonly LeanPod[],
  zoneOf: (nodeName: string) => string | undefined,
): EndpointGroup[] {
  const families = service.spec.ipFamilies?.length ? service.spec.ipFamilies : [...new Set(pods.flatMap(({ ips }) => ips.map(familyOf)))];
  const groups = new Map<string, EndpointGroup>();
  for (const pod of pods) {
    if (pod.finished || pod.ips.length === 0) continue;
    const ports = portsOn(service, pod);
    for (const addressType of families) {
      const ip = pod.ips.find((address) => familyOf(address) === addressType);
      if (ip === undefined) continue;
      const key = `${addressType} ${portsKey(ports)}`;
      let group = groups.get(key);
      if (!group) groups.set(key, (group = { addressType, ports, endpoints: [] }));
      group.endpoints.push(endpointOf(service, pod, ip, zoneOf(pod.nodeName)));
    }
  }
  // Where there is nothing, an empty slice says so, with no ports: which ones there would be depends on the pods.
  for (const addressType of families.length > 0 ? families : (['IPv4'] as const)) {
    if (![...groups.values()].some((group) => group.addressType === addressType))
      groups.set(addressType, { addressType, ports: [], endpoints: [] });
  }
  return [...groups.values()];
}

function endpointOf(service: Service, pod: LeanPod, ip: string, zone: string | undefined): Endpoint {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const terminating = Boolean(deletionTimestamp);
  const ready = service.spec.publishNotReadyAddresses === true || (pod.ready && !terminating);
  const hostname = hostnameIn(service, pod);
  const hints = ready ? trafficHints(service, pod.nodeName, zone) : undefined;
  return {
    addresses: [ip],
    conditions: { ready, serving: pod.ready, terminating },
    ...(hostname ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(pod.nodeName ? { nodeName: pod.nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hints ? { hints } : {}),
  };
}

/** Each endpoint is for its own zone, or its own node first (https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-distribution). */
function trafficHints({ spec }: Service, nodeName: string, zone: string | undefined): Endpoint['hints'] {
  const forZones = zone ? { forZones: [{ name: zone }] } : undefined;
  switch (spec.trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return forZones;
    case 'PreferSameNode':
      return nodeName ? { ...forZones, forNodes: [{ name: nodeName }] } : forZones;
    default:
      return undefined;
  }
}

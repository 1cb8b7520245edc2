import type { EndpointAddress, EndpointPort, EndpointSubset, Service } from '@kubernel/sdk/api';
import { familyOf, hostnameIn, type LeanPod, portsOn } from '../pods.ts';
import { portsKey } from '../slices/plan.ts';

/** More addresses than this are cut off, as upstream does (https://kubernetes.io/docs/concepts/services-networking/service/#over-capacity-endpoints). */
const MAX_ADDRESSES = 1000;

/** The subsets of a service's Endpoints: addresses that share their ports, sorted, so that equal states are equal objects. */
export function subsetsOf(service: Service, pods: readonly LeanPod[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const family = service.spec.ipFamilies?.[0] ?? 'IPv4';
  const publishAll = service.spec.publishNotReadyAddresses === true;
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  for (const pod of pods) {
    if (pod.finished || (pod.metadata.deletionTimestamp && !publishAll)) continue;
    const ip = pod.ips.find((address) => familyOf(address) === family);
    if (ip === undefined) continue;
    const ports = portsOn(service, pod);
    // A service with ports of which a pod has none does not reach that pod.
    if (ports.length === 0 && (service.spec.ports?.length ?? 0) > 0) continue;
    const key = portsKey(ports);
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { ports, ready: [], notReady: [] }));
    const { name, namespace, uid } = pod.metadata;
    const hostname = hostnameIn(service, pod);
    const address: EndpointAddress = {
      ip,
      ...(hostname ? { hostname } : {}),
      ...(pod.nodeName ? { nodeName: pod.nodeName } : {}),
      targetRef: { kind: 'Pod', namespace, name, uid },
    };
    (publishAll || pod.ready ? group.ready : group.notReady).push(address);
  }
  let room = MAX_ADDRESSES;
  let truncated = false;
  const take = (addresses: EndpointAddress[]): EndpointAddress[] => {
    const kept = addresses.sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0)).slice(0, room);
    truncated ||= kept.length < addresses.length;
    room -= kept.length;
    return kept;
  };
  // Addresses that work before those that do not, over all subsets.
  const ordered = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const ready = ordered.map((group) => take(group.ready));
  const notReady = ordered.map((group) => take(group.notReady));
  const subsets = ordered.map((group, i) => ({
    ...(ready[i]?.length ? { addresses: ready[i] } : {}),
    ...(notReady[i]?.length ? { notReadyAddresses: notReady[i] } : {}),
    // Unlike slices, Endpoints leave the name of a service's only port away when it has none.
    ...(group.ports.length > 0 ? { ports: group.ports.map(({ name, ...port }) => (name ? { name, ...port } : port)) } : {}),
  }));
  return { subsets: subsets.filter(({ addresses, notReadyAddresses }) => addresses || notReadyAddresses), truncated };
}

import { type Endpoint, type EndpointPort, type EndpointSlice, semanticEqual } from '@kubernel/sdk/api';

/** Endpoints that share address type and ports, so that they can stand in one slice. */
export interface EndpointGroup {
  addressType: EndpointSlice['addressType'];
  ports: EndpointPort[];
  endpoints: Endpoint[];
}

export interface SlicePlan {
  create: EndpointGroup[];
  /** Slices with their new endpoints. */
  update: { slice: EndpointSlice; endpoints: Endpoint[] }[];
  delete: EndpointSlice[];
}

/**
 * The fewest writes that make the slices say what the groups say. Endpoints stay in the slice they are in; new ones go
 * to slices that are written anyway, then to the fullest that has room for all of the rest, then to new slices. Slices
 * are never rebalanced: a write of one slice is sent to every node (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#distribution-of-endpointslices).
 */
export function planSlices(existing: readonly EndpointSlice[], groups: readonly EndpointGroup[], maxPerSlice: number): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], delete: [] };
  const byGroup = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = groupKey(slice.addressType, slice.ports ?? []);
    byGroup.set(key, [...(byGroup.get(key) ?? []), slice]);
  }
  for (const group of groups) {
    const key = groupKey(group.addressType, group.ports);
    planGroup(plan, byGroup.get(key) ?? [], group, maxPerSlice);
    byGroup.delete(key);
  }
  for (const slices of byGroup.values()) plan.delete.push(...slices);
  reuseDeleted(plan);
  return plan;
}

function planGroup(plan: SlicePlan, slices: readonly EndpointSlice[], group: EndpointGroup, maxPerSlice: number): void {
  // A service without endpoints has one empty slice: it says that there are none, rather than not yet.
  if (group.endpoints.length === 0) {
    const [keep, ...surplus] = slices;
    if (!keep) plan.create.push(group);
    else if ((keep.endpoints ?? []).length > 0) plan.update.push({ slice: keep, endpoints: [] });
    plan.delete.push(...surplus);
    return;
  }
  const wanted = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const drafts = slices.map((slice) => {
    const endpoints: Endpoint[] = [];
    let changed = false;
    for (const old of slice.endpoints ?? []) {
      const key = endpointKey(old);
      const endpoint = wanted.get(key);
      if (!endpoint || endpoints.length >= maxPerSlice) {
        changed = true;
        continue;
      }
      wanted.delete(key);
      const same = semanticEqual(endpoint, old);
      endpoints.push(same ? old : endpoint);
      changed ||= !same;
    }
    return { slice, endpoints, changed };
  });
  const rest = [...wanted.values()];
  const room = ({ endpoints }: { endpoints: Endpoint[] }): number => maxPerSlice - endpoints.length;
  for (const draft of drafts.filter(({ changed, endpoints }) => changed && endpoints.length > 0).sort((a, b) => room(a) - room(b))) {
    draft.endpoints.push(...rest.splice(0, room(draft)));
  }
  while (rest.length >= maxPerSlice) plan.create.push({ ...group, endpoints: rest.splice(0, maxPerSlice) });
  if (rest.length > 0) {
    const [fullest] = drafts
      .filter((draft) => room(draft) >= rest.length)
      .sort((a, b) => room(a) - room(b) || Number(b.changed) - Number(a.changed));
    if (fullest) {
      fullest.endpoints.push(...rest);
      fullest.changed = true;
    } else {
      plan.create.push({ ...group, endpoints: rest });
    }
  }
  for (const { slice, endpoints, changed } of drafts) {
    if (endpoints.length === 0) plan.delete.push(slice);
    else if (changed) plan.update.push({ slice, endpoints });
  }
}

/** A slice to delete and one to create of the same address type are one write: the ports of a slice may change. */
function reuseDeleted(plan: SlicePlan): void {
  plan.create = plan.create.filter((group) => {
    const index = plan.delete.findIndex(({ addressType, metadata }) => addressType === group.addressType && !metadata.deletionTimestamp);
    if (index < 0) return true;
    const [slice] = plan.delete.splice(index, 1) as [EndpointSlice];
    plan.update.push({ slice: { ...slice, ports: group.ports }, endpoints: group.endpoints });
    return false;
  });
}

function groupKey(addressType: string, ports: readonly EndpointPort[]): string {
  return `${addressType} ${portsKey(ports)}`;
}

export function portsKey(ports: readonly EndpointPort[]): string {
  return ports
    .map(({ name = '', protocol = 'TCP', port, appProtocol = '' }) => `${name}/${protocol}/${port}/${appProtocol}`)
    .sort()
    .join();
}

/** A pod that comes back with another address is the same endpoint, changed. */
function endpointKey({ targetRef, addresses }: Endpoint): string {
  return targetRef?.uid ?? targetRef?.name ?? addresses.join();
}

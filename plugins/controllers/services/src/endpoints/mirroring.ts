import { definePlugin } from '@kubernel/sdk';
import { type Endpoint, type EndpointAddress, type EndpointSlice, type Endpoints, type Service, semanticEqual } from '@kubernel/sdk/api';
import { controllerParts, controllerRef, ENDPOINT_SLICES, ENDPOINTS, isNamespaceTerminating, SERVICES } from '@kubernel/sdk/client';
import { familyOf } from '../pods.ts';
import { SliceCache } from '../slices/cache.ts';
import { MANAGED_BY, SERVICE_NAME } from '../slices/controller.ts';
import { type EndpointGroup, planSlices, portsKey } from '../slices/plan.ts';
import { ENDPOINTS_MANAGED_BY } from './controller.ts';

const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_PER_SLICE = 1000;
const MAX_PER_SUBSET = 1000;

/** Endpoints that people write for services without a selector, as slices (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring). */
export const mirroringController = definePlugin('controller/v1', 'endpointslice-mirroring', {
  start(ctx) {
    const parts = controllerParts(ctx, 'endpoint-slice-mirroring-controller');
    const services = parts.informers.get<Service>(SERVICES);
    const endpoints = parts.informers.get<Endpoints>(ENDPOINTS);
    const informer = parts.informers.get<EndpointSlice>(ENDPOINT_SLICES, {
      labelSelector: `${MANAGED_BY}=${MANAGER}`,
      indexes: { service: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`] },
    });
    const slices = new SliceCache(parts.client, informer);
    const reconciler = parts.reconciler('endpointslice-mirroring', sync, { workers: 5 });
    reconciler.watch(services);
    reconciler.watch(endpoints);
    reconciler.watch(informer, ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`]);
    return parts.run(reconciler);

    async function sync(key: string): Promise<void> {
      const source = endpoints.get(key);
      const service = services.get(key);
      const existing = slices.of(key);
      if (!source || !service || service.spec.selector || !isMirrored(source)) {
        await Promise.all(existing.map((slice) => slices.delete(key, slice)));
        return;
      }
      const groups = mirroredGroups(source);
      const plan = planSlices(existing, groups, MAX_PER_SLICE);
      const labels = { ...source.metadata.labels, [SERVICE_NAME]: source.metadata.name ?? '', [MANAGED_BY]: MANAGER };
      const { [LAST_APPLIED]: _, ...annotations } = source.metadata.annotations ?? {};
      const withMeta = (slice: EndpointSlice): EndpointSlice => ({ ...slice, metadata: { ...slice.metadata, labels, annotations } });
      const touched = new Set(plan.update.map(({ slice }) => slice.metadata.uid));
      const relabelled = existing.filter(
        (slice) =>
          !touched.has(slice.metadata.uid) &&
          !plan.delete.includes(slice) &&
          !semanticEqual([slice.metadata.labels, slice.metadata.annotations], [labels, annotations]),
      );
      try {
        await Promise.all([
          ...plan.create.map((group) => slices.create(key, withMeta({ ...emptySlice(source), ...group }))),
          ...plan.update.map(({ slice, endpoints: next }) => slices.update(key, withMeta({ ...slice, endpoints: next }))),
          ...relabelled.map((slice) => slices.update(key, withMeta(slice))),
        ]);
        await Promise.all(plan.delete.map((slice) => slices.delete(key, slice)));
      } catch (error) {
        if (!isNamespaceTerminating(error)) throw error;
      }
    }
  },
});

function isMirrored({ metadata }: Endpoints): boolean {
  const { labels = {}, annotations = {}, deletionTimestamp } = metadata;
  return (
    !deletionTimestamp && labels[SKIP_MIRROR] !== 'true' && labels[ENDPOINTS_MANAGED_BY] === undefined && annotations[LEADER] === undefined
  );
}

function mirroredGroups({ subsets = [] }: Endpoints): EndpointGroup[] {
  const groups = new Map<string, EndpointGroup>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const slicePorts = ports.map(({ name = '', protocol = 'TCP', ...port }) => ({ name, protocol, ...port }));
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    for (const { address, ready } of all.slice(0, MAX_PER_SUBSET)) {
      const addressType = familyOf(address.ip);
      const key = `${addressType} ${portsKey(slicePorts)}`;
      let group = groups.get(key);
      if (!group) groups.set(key, (group = { addressType, ports: slicePorts, endpoints: [] }));
      group.endpoints.push(mirrored(address, ready));
    }
  }
  return [...groups.values()];
}

function mirrored({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(targetRef ? { targetRef } : {}),
    ...(nodeName ? { nodeName } : {}),
  };
}

function emptySlice(source: Endpoints): Pick<EndpointSlice, 'metadata' | 'apiVersion' | 'kind'> {
  const { name, namespace } = source.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { generateName: `${name}-`, namespace, ownerReferences: [controllerRef(source, 'v1', 'Endpoints')] },
  };
}

import { definePlugin } from '@kubernel/sdk';
import { type EndpointSlice, type KubeObject, type Node, type Service, semanticEqual } from '@kubernel/sdk/api';
import { controllerParts, controllerRef, ENDPOINT_SLICES, isNamespaceTerminating, NODES } from '@kubernel/sdk/client';
import { isHeadless, type LeanPod } from '../pods.ts';
import { Selection } from '../selection.ts';
import { SliceCache } from './cache.ts';
import { endpointGroups } from './endpoint.ts';
import { planSlices } from './plan.ts';

export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const HEADLESS = 'service.kubernetes.io/headless';
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const MANAGER = 'endpointslice-controller.k8s.io';
const MAX_PER_SLICE = 100;
const ZONE = 'topology.kubernetes.io/zone';

interface ZonedNode extends KubeObject {
  zone: string | undefined;
}

/** Keeps the EndpointSlices of services that select pods (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/). */
export const endpointSliceController = definePlugin('controller/v1', 'endpointslice', {
  start(ctx) {
    const parts = controllerParts(ctx, 'endpoint-slice-controller');
    const selection = new Selection(parts);
    const nodes = parts.informers.get<ZonedNode>(NODES, { transform: zonedNode });
    const informer = parts.informers.get<EndpointSlice>(ENDPOINT_SLICES, {
      labelSelector: `${MANAGED_BY}=${MANAGER}`,
      indexes: { service: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`] },
    });
    const slices = new SliceCache(parts.client, informer);
    const reconciler = parts.reconciler('endpointslice', sync, { workers: 5 });
    selection.feed(reconciler);
    // Someone else changed or removed a slice.
    reconciler.watch(informer, ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`]);
    const zoneChanged = (node: ZonedNode): void => {
      for (const pod of selection.pods.byIndex('node', node.metadata.name ?? ''))
        for (const key of selection.servicesOf(pod)) reconciler.enqueue(key);
    };
    nodes.on({
      add: zoneChanged,
      update: (node, old) => {
        if (node.zone !== old.zone) zoneChanged(node);
      },
    });
    return parts.run(reconciler);

    async function sync(key: string): Promise<void> {
      const service = selection.services.get(key);
      const existing = slices.of(key);
      if (!service) return void (await Promise.all(existing.map((slice) => slices.delete(key, slice))));
      // Without a selector the slices are someone else's; an ExternalName has no endpoints.
      if (!service.spec.selector || service.spec.type === 'ExternalName' || service.metadata.deletionTimestamp) return;

      const pods = selection.podsOf(service);
      const labels = sliceLabels(service);
      const plan = planSlices(
        existing,
        endpointGroups(service, pods, (name) => nodes.get(name)?.zone),
        MAX_PER_SLICE,
      );
      const touched = new Set(plan.update.map(({ slice }) => slice.metadata.uid));
      const relabelled = existing.filter(
        (slice) => !touched.has(slice.metadata.uid) && !plan.delete.includes(slice) && !semanticEqual(slice.metadata.labels, labels),
      );
      const trigger = triggerTime(service, pods);
      const withMeta = (slice: EndpointSlice): EndpointSlice => ({
        ...slice,
        metadata: {
          ...slice.metadata,
          labels,
          ...(trigger ? { annotations: { ...slice.metadata.annotations, [TRIGGER_TIME]: trigger } } : {}),
        },
      });
      try {
        // Additions before removals: a reader in between sees an endpoint twice rather than not at all.
        await Promise.all([
          ...plan.create.map((group) => slices.create(key, withMeta({ ...emptySlice(service), ...group }))),
          ...plan.update.map(({ slice, endpoints }) => slices.update(key, withMeta({ ...slice, endpoints }))),
          ...relabelled.map((slice) => slices.update(key, withMeta(slice))),
        ]);
        await Promise.all(plan.delete.map((slice) => slices.delete(key, slice)));
      } catch (error) {
        if (isNamespaceTerminating(error)) return;
        parts.events.event(
          service,
          'Warning',
          'FailedToUpdateEndpointSlices',
          `Error updating Endpoint Slices for Service ${key}: ${error instanceof Error ? error.message : String(error)}`,
        );
        throw error;
      }
    }
  },
});

function zonedNode(arrived: ZonedNode): ZonedNode {
  const { name, uid, resourceVersion, labels } = (arrived as unknown as Node).metadata;
  return { metadata: { name, uid, resourceVersion }, zone: labels?.[ZONE] };
}

function emptySlice(service: Service): Pick<EndpointSlice, 'metadata' | 'apiVersion' | 'kind'> {
  const { name, namespace } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { generateName: `${name}-`, namespace, ownerReferences: [controllerRef(service, 'v1', 'Service')] },
  };
}

/** The service's own labels, and those by which slices are found. */
function sliceLabels(service: Service): Record<string, string> {
  const { [HEADLESS]: _headless, [SERVICE_NAME]: _name, [MANAGED_BY]: _manager, ...own } = service.metadata.labels ?? {};
  return { ...own, ...(isHeadless(service) ? { [HEADLESS]: '' } : {}), [SERVICE_NAME]: service.metadata.name ?? '', [MANAGED_BY]: MANAGER };
}

/** When the newest of what the slices show came about: from it to the write is the latency that is measured. */
export function triggerTime(service: Service, pods: readonly LeanPod[]): string | undefined {
  let newest = service.metadata.creationTimestamp ?? '';
  for (const { readyChanged } of pods) if (readyChanged > newest) newest = readyChanged;
  return newest === '' ? undefined : newest;
}

import { definePlugin } from '@kubernel/sdk';
import { type Endpoints, type Service, semanticEqual } from '@kubernel/sdk/api';
import { controllerParts, ENDPOINTS, isAlreadyExists, isNamespaceTerminating, isNotFound, OwnWrites } from '@kubernel/sdk/client';
import { isHeadless } from '../pods.ts';
import { Selection } from '../selection.ts';
import { HEADLESS, TRIGGER_TIME, triggerTime } from '../slices/controller.ts';
import { subsetsOf } from './subsets.ts';

export const ENDPOINTS_MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const MANAGER = 'endpoint-controller';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';

/** Keeps the (deprecated, still widely read) Endpoints of services that select pods. */
export const endpointsController = definePlugin('controller/v1', 'endpoints', {
  start(ctx) {
    const parts = controllerParts(ctx, 'endpoint-controller');
    const { client } = parts;
    const selection = new Selection(parts);
    const endpoints = parts.informers.get<Endpoints>(ENDPOINTS);
    const written = new OwnWrites<Endpoints>();
    const reconciler = parts.reconciler('endpoints', sync, { workers: 5 });
    selection.feed(reconciler);
    reconciler.watch(endpoints, ({ metadata }) =>
      metadata.labels?.[ENDPOINTS_MANAGED_BY] === MANAGER ? [`${metadata.namespace}/${metadata.name}`] : [],
    );
    return parts.run(reconciler);

    async function sync(key: string): Promise<void> {
      const service = selection.services.get(key);
      const known = endpoints.get(key);
      const current = known && written.latest(known);
      if (!service) {
        // Only what was made here: people keep Endpoints of their own.
        if (current?.metadata.labels?.[ENDPOINTS_MANAGED_BY] === MANAGER) await remove(current);
        return;
      }
      if (!service.spec.selector || service.spec.type === 'ExternalName' || service.metadata.deletionTimestamp) return;
      const pods = selection.podsOf(service);
      const { subsets, truncated } = subsetsOf(service, pods);
      const labels = endpointsLabels(service);
      const { [OVER_CAPACITY]: _, ...annotations } = current?.metadata.annotations ?? {};
      if (truncated) annotations[OVER_CAPACITY] = 'truncated';
      const isSame =
        current &&
        semanticEqual(subsets, current.subsets) &&
        semanticEqual(labels, current.metadata.labels) &&
        truncated === (current.metadata.annotations?.[OVER_CAPACITY] !== undefined);
      if (isSame) return;
      const trigger = triggerTime(service, pods);
      if (trigger) annotations[TRIGGER_TIME] = trigger;
      await write({
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { ...(current?.metadata ?? { name: service.metadata.name, namespace: service.metadata.namespace }), labels, annotations },
        subsets,
      });
    }

    async function write(object: Endpoints): Promise<void> {
      try {
        written.note(object.metadata.uid ? await client.update(ENDPOINTS, object) : await client.create(ENDPOINTS, object));
      } catch (error) {
        written.forget(object);
        if (isNamespaceTerminating(error)) return;
        const { namespace, name } = object.metadata;
        // The informer is behind: it brings what is there, and with it the next sync.
        if (!isAlreadyExists(error)) {
          parts.events.event(
            object,
            'Warning',
            object.metadata.uid ? 'FailedToUpdateEndpoint' : 'FailedToCreateEndpoint',
            `Failed to write endpoint ${namespace}/${name}: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
        throw error;
      }
    }

    async function remove({ metadata }: Endpoints): Promise<void> {
      const { name = '', namespace = '', uid = '' } = metadata;
      try {
        await client.delete(ENDPOINTS, name, { namespace, preconditions: { uid } });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  },
});

function endpointsLabels(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {};
  return { ...own, ...(isHeadless(service) ? { [HEADLESS]: '' } : {}), [ENDPOINTS_MANAGED_BY]: MANAGER };
}

import { setTimeout } from 'node:timers/promises';
import type { ApiService } from '@kubernel/sdk';
import type { Api } from '../api.ts';
import { CLEANUP_FINALIZER, CRD_GROUP, CRD_PLURAL, type CustomResourceDefinition } from './definition.ts';

const RETRY_MS = 1_000;

/**
 * Deletes all objects of a definition that is being deleted, waits until their own finalizers let go of them, and then takes away
 * the finalizer that holds the definition. Gives up when the definition is gone.
 */
export async function removeInstances(
  api: Api,
  service: ApiService,
  name: string,
  read: () => CustomResourceDefinition | undefined,
): Promise<void> {
  for (;;) {
    const crd = read();
    const finalizers = crd?.metadata.finalizers ?? [];
    if (!crd || !finalizers.includes(CLEANUP_FINALIZER)) return;
    const { group, names, versions } = crd.spec;
    const objects = api.cache.resource(`${group}/${names.plural}/`);
    if (objects.entries.size > 0) {
      const version = (versions.find(({ served, storage }) => served && storage) ?? versions.find(({ served }) => served))?.name;
      if (version && api.registry.find(group, version, names.plural))
        await deleteAll(
          service,
          crd,
          version,
          objects.ordered('').map(({ key }) => key.slice(objects.prefix.length)),
        );
      else for (const entry of objects.ordered('')) await api.writer.write(entry.key, null, entry.revision);
      await api.cache.fresh();
    }
    if (objects.entries.size === 0) {
      const left = finalizers.filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
      const body = JSON.stringify({ metadata: { finalizers: left.length > 0 ? left : null } });
      const answer = await service.request({
        method: 'PATCH',
        path: `/apis/${CRD_GROUP}/v1/${CRD_PLURAL}/${name}?fieldManager=kube-apiserver`,
        body,
      });
      if (answer.code < 300 || answer.code === 404) return;
    }
    await setTimeout(RETRY_MS, undefined, { ref: false });
  }
}

/** `keys`: `namespace/name` or `name`. */
async function deleteAll(service: ApiService, { spec }: CustomResourceDefinition, version: string, keys: readonly string[]): Promise<void> {
  const base = `/apis/${spec.group}/${version}`;
  const paths =
    spec.scope === 'Cluster'
      ? [`${base}/${spec.names.plural}`]
      : [...new Set(keys.map((key) => key.slice(0, key.indexOf('/'))))].map(
          (namespace) => `${base}/namespaces/${namespace}/${spec.names.plural}`,
        );
  for (const path of paths) await service.request({ method: 'DELETE', path });
}

import { StatusError } from '@kubernel/sdk';
import type { KubeList, KubeObject } from '@kubernel/sdk/api';
import { type Client, collectionPath, type DiscoveredResource, isNotFound } from '@kubernel/sdk/client';

/** What is left of a resource in the namespace after its deletion was asked for. */
export interface Emptied {
  resource: DiscoveredResource;
  left: number;
  /** How many of them wait for which finalizer. */
  finalizers: Map<string, number>;
}

export function nothingLeft(resources: readonly Emptied[]): boolean {
  return resources.every(({ left }) => left === 0);
}

const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

export async function emptyResource(client: Client, resource: DiscoveredResource, namespace: string): Promise<Emptied> {
  let items = await list(client, resource, namespace);
  // Most resources have nothing in most namespaces: a list from the cache costs less than a deletion that finds nothing.
  const alive = items.filter(({ metadata }) => !metadata.deletionTimestamp);
  if (alive.length > 0) {
    await remove(client, resource, namespace, alive);
    items = await list(client, resource, namespace);
  }
  const finalizers = new Map<string, number>();
  for (const { metadata } of items) for (const name of metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  return { resource, left: items.length, finalizers };
}

async function list(client: Client, resource: DiscoveredResource, namespace: string): Promise<KubeObject[]> {
  const response = await client.request({ method: 'GET', path: collectionPath(resource, namespace), accept: METADATA });
  // Removed between discovery and now (a custom resource whose definition went): nothing is left of it.
  if (response.code === 404 || response.code === 405) return [];
  if (response.code >= 300) throw StatusError.from(JSON.parse(response.body));
  return (JSON.parse(response.body) as KubeList).items ?? [];
}

async function remove(client: Client, resource: DiscoveredResource, namespace: string, items: readonly KubeObject[]): Promise<void> {
  if (resource.verbs.includes('deletecollection')) {
    await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background' });
    return;
  }
  await Promise.all(
    items.map(async ({ metadata: { name = '' } }) => {
      try {
        await client.delete(resource, name, { namespace, propagationPolicy: 'Background' });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }),
  );
}

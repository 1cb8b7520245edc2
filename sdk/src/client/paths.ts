import type { ResourceRef } from '../api/object.ts';
import type { ListOptions, WatchOptions, WriteOptions } from './client.ts';
import { badArgument } from './errors.ts';

/** REST paths of resources (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris). */

/** `/apis/apps/v1/namespaces/default/deployments`; without a namespace, all namespaces. */
export function collectionPath(resource: ResourceRef, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (resource.clusterScoped || namespace === undefined || namespace === '') return `${root}/${resource.resource}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.resource}`;
}

export function objectPath(resource: ResourceRef, namespace: string | undefined, name: string, subresource?: string): string {
  if (!name) throw badArgument('a name is needed', resource.resource);
  if (!resource.clusterScoped && !namespace)
    throw badArgument(`a namespace is needed for ${resource.resource} "${name}"`, resource.resource);
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

/** `pods`, `deployments.apps`: how messages name a resource. */
export function resourceName(resource: ResourceRef): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

/** Key of an object in informers and queues: `namespace/name`, or `name` for cluster-scoped resources. */
export function objectKey(object: { metadata: { namespace?: string; name?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : (name ?? '');
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

export function listQuery(options: ListOptions): string {
  const query = selection(options);
  if (options.limit !== undefined && options.limit > 0) query.push(`limit=${options.limit}`);
  if (options.continue) query.push(`continue=${encodeURIComponent(options.continue)}`);
  return joined(query);
}

export function watchQuery(options: WatchOptions): string {
  const query = ['watch=true', ...selection(options)];
  if (options.allowWatchBookmarks !== false) query.push('allowWatchBookmarks=true');
  if (options.sendInitialEvents !== undefined) query.push(`sendInitialEvents=${options.sendInitialEvents}`);
  if (options.timeoutSeconds !== undefined) query.push(`timeoutSeconds=${options.timeoutSeconds}`);
  return joined(query);
}

export function writeQuery(options: WriteOptions): string {
  const query: string[] = [];
  if (options.dryRun) query.push('dryRun=All');
  if (options.fieldManager) query.push(`fieldManager=${encodeURIComponent(options.fieldManager)}`);
  if (options.force) query.push('force=true');
  return joined(query);
}

function selection(options: ListOptions | WatchOptions): string[] {
  const query: string[] = [];
  if (options.labelSelector) query.push(`labelSelector=${encodeURIComponent(options.labelSelector)}`);
  if (options.fieldSelector) query.push(`fieldSelector=${encodeURIComponent(options.fieldSelector)}`);
  if (options.resourceVersion !== undefined) query.push(`resourceVersion=${encodeURIComponent(options.resourceVersion)}`);
  if (options.resourceVersionMatch) query.push(`resourceVersionMatch=${options.resourceVersionMatch}`);
  return query;
}

function joined(query: string[]): string {
  return query.length === 0 ? '' : `?${query.join('&')}`;
}

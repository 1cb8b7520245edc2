import type { Api } from '../api.ts';
import type { Entry } from '../cache/entry.ts';
import type { Call, Result } from '../call.ts';
import { revisionParameter } from '../list-options.ts';
import { keyOf, type Resource, textOf } from '../registry.ts';
import { notFound } from '../status.ts';

/** GET of one object: a look into a Map, after waiting for the cache in the rare case that it is behind. */
export function get(api: Api, call: Call, resource: Resource): Result | Promise<Result> {
  const wait = call.query.size === 0 ? api.cache.fresh() : freshness(api, call);
  if (wait) return wait.then(() => found(call, resource));
  return found(call, resource);
}

function found(call: Call, resource: Resource): Result {
  const entry = entryOf(resource, call.info.namespace, call.info.name);
  return { type: 'object', code: 200, text: textOf(resource, entry), resource };
}

/** `resourceVersion=0`: whatever is there; a revision: not older than that; nothing: the newest. */
function freshness(api: Api, call: Call): Promise<void> | undefined {
  const revision = revisionParameter(call.query.get('resourceVersion'));
  if (revision === undefined) return api.cache.fresh();
  return revision > api.cache.revision ? api.cache.waitFor(revision) : undefined;
}

export function entryOf(resource: Resource, namespace: string, name: string): Entry {
  const entry = resource.cache.entries.get(keyOf(resource, namespace, name));
  if (!entry) throw notFound(resource.group, resource.plural, name);
  return entry;
}

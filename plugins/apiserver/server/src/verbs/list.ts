import { isCode, type ListPage } from '@kubernel/sdk';
import { LRUCache } from 'lru-cache';
import type { Api } from '../api.ts';
import { Entry } from '../cache/entry.ts';
import { initialEntries } from '../cache/watcher.ts';
import type { Call, ListResult, Result } from '../call.ts';
import { decodeContinue, encodeContinue } from '../continue-token.ts';
import { type ListOptions, listOptions, listRevision } from '../list-options.ts';
import type { Resource } from '../registry.ts';
import { type Selection, selectionOf, selects } from '../selection.ts';
import { expired, tooLargeResourceVersion } from '../status.ts';

/** LIST, in its variants: newest, at least as new as, exactly as of, and page after page of one revision. */
export function list(api: Api, call: Call, resource: Resource): Result | Promise<Result> {
  const options = listOptions(call);
  const selection = selectionOf(resource, call.info.namespace, options.labelSelector, options.fieldSelector);
  return listSelection(api, resource, selection, options);
}

export function listSelection(api: Api, resource: Resource, selection: Selection, options: ListOptions): ListResult | Promise<ListResult> {
  const revision = listRevision(options.resourceVersion);
  if (options.continue) return nextPage(api, resource, selection, options);
  if (options.resourceVersionMatch === 'Exact' && revision !== undefined) return exact(api, resource, selection, revision, options.limit);
  const wait = revision === undefined ? api.cache.fresh() : revision > api.cache.revision ? api.cache.waitFor(revision) : undefined;
  // A list at revision 0 comes whole from the cache, whatever its limit, as upstream's watch cache gives it.
  const limit = revision === 0 ? 0 : options.limit;
  if (wait) return wait.then(() => current(api, resource, selection, limit));
  return current(api, resource, selection, limit);
}

function current(api: Api, resource: Resource, selection: Selection, limit: number): ListResult {
  const entries = initialEntries(resource.cache, selection, resource);
  const revision = api.cache.revision;
  if (limit <= 0 || entries.length <= limit) return { type: 'list', resource, entries, revision };
  const key = snapshots(api).keep(resource, selection, revision, entries);
  return page(resource, selection, entries, 0, limit, key.revision);
}

function page(
  resource: Resource,
  selection: Selection,
  entries: readonly Entry[],
  from: number,
  limit: number,
  revision: number,
): ListResult {
  const to = limit > 0 ? Math.min(from + limit, entries.length) : entries.length;
  const items = entries.slice(from, to);
  if (to >= entries.length) return { type: 'list', resource, entries: items, revision };
  const last = (items.at(-1) as Entry).key.slice(resource.cache.prefix.length);
  const filtered = selection.labels !== undefined || selection.fields.length > 0;
  return {
    type: 'list',
    resource,
    entries: items,
    revision,
    continue: encodeContinue({ revision, after: last }),
    // With a selector upstream does not know how many are left, and says nothing.
    ...(filtered ? {} : { remaining: entries.length - to }),
  };
}

async function nextPage(api: Api, resource: Resource, selection: Selection, options: ListOptions): Promise<ListResult> {
  const token = decodeContinue(options.continue);
  const { limit } = options;
  const after = resource.cache.prefix + token.after;
  if (token.revision < 0) {
    // "Inconsistent continue": whatever is there now, from that key on.
    await api.cache.fresh();
    const entries = initialEntries(resource.cache, selection, resource);
    const snapshot = snapshots(api).keep(resource, selection, api.cache.revision, entries);
    return page(resource, selection, entries, firstAfter(entries, after), limit, snapshot.revision);
  }
  const entries = snapshots(api).find(resource, selection, token.revision) ?? (await fromStore(api, resource, selection, token));
  return page(resource, selection, entries, firstAfter(entries, after), limit, token.revision);
}

async function exact(api: Api, resource: Resource, selection: Selection, revision: number, limit: number): Promise<ListResult> {
  await api.cache.fresh();
  if (revision > api.cache.revision) throw tooLargeResourceVersion(revision, api.cache.revision);
  const entries =
    revision === api.cache.revision
      ? initialEntries(resource.cache, selection, resource)
      : await fromStore(api, resource, selection, { revision, after: '' });
  snapshots(api).keep(resource, selection, revision, entries);
  return page(resource, selection, entries, 0, limit, revision);
}

/** What the objects were at an older revision, out of the store's history. */
async function fromStore(api: Api, resource: Resource, selection: Selection, token: { revision: number; after: string }): Promise<Entry[]> {
  const prefix = resource.namespaced && selection.namespace ? `${resource.cache.prefix}${selection.namespace}/` : resource.cache.prefix;
  const entries: Entry[] = [];
  try {
    for await (const found of api.store.list({ prefix, revision: token.revision })) collect(found, resource, selection, entries);
  } catch (error) {
    if (!isCode(error, 'ERR_COMPACTED')) throw error;
    if (!token.after) throw expired(`The resourceVersion for the provided list is too old.`);
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      encodeContinue({ revision: -1, after: token.after }),
    );
  }
  snapshots(api).keep(resource, selection, token.revision, entries);
  return entries;
}

function collect(found: ListPage, resource: Resource, selection: Selection, into: Entry[]): void {
  for (let index = 0; index < found.keys.length; index++) {
    const entry = new Entry(found.keys[index] as string, found.values[index] as string, found.revisions[index] as number);
    if (selects(selection, resource, entry)) into.push(entry);
  }
}

function firstAfter(entries: readonly Entry[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as Entry).key <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Lists that are being paged through. Entries are shared with the cache, so one costs an array, and the texts of what changed since. */
class Snapshots {
  readonly #cache = new LRUCache<string, { revision: number; entries: readonly Entry[] }>({
    maxSize: 1_000_000,
    sizeCalculation: ({ entries }) => entries.length + 16,
    ttl: 300_000,
  });

  keep(resource: Resource, selection: Selection, revision: number, entries: readonly Entry[]): { revision: number } {
    this.#cache.set(this.#key(resource, selection, revision), { revision, entries });
    return { revision };
  }

  find(resource: Resource, selection: Selection, revision: number): readonly Entry[] | undefined {
    return this.#cache.get(this.#key(resource, selection, revision))?.entries;
  }

  #key(resource: Resource, selection: Selection, revision: number): string {
    return `${revision}\n${resource.cache.prefix}\n${selection.signature}`;
  }
}

const ALL = new WeakMap<Api, Snapshots>();

function snapshots(api: Api): Snapshots {
  let own = ALL.get(api);
  if (!own) {
    own = new Snapshots();
    ALL.set(api, own);
  }
  return own;
}

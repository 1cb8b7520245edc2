import { isCode } from '@kubernel/sdk';
import type { Api } from '../api.ts';
import { Entry } from '../cache/entry.ts';
import type { CacheEvent } from '../cache/resource-cache.ts';
import type { Sink, WatchOptions } from '../cache/watcher.ts';
import type { Call, WatchResult } from '../call.ts';
import { listOptions, listRevision } from '../list-options.ts';
import type { Resource } from '../registry.ts';
import { selectionOf } from '../selection.ts';
import { tooOldResourceVersion } from '../status.ts';

/** Between 30 and 60 minutes when the client does not say, spread so that watches do not end all at once. */
const MIN_WATCH_MS = 1_800_000;

export function watch(api: Api, call: Call, resource: Resource): WatchResult {
  const options = listOptions(call, true);
  const { info } = call;
  const fieldSelector = info.name ? joined(options.fieldSelector, `metadata.name=${info.name}`) : options.fieldSelector;
  const selection = selectionOf(resource, info.namespace, options.labelSelector, fieldSelector);
  const revision = listRevision(options.resourceVersion);
  const initial =
    options.sendInitialEvents === true || (options.sendInitialEvents === undefined && (revision === undefined || revision === 0));
  const watchOptions: WatchOptions = {
    selection,
    from: initial ? undefined : (revision ?? api.cache.revision),
    initialEvents: options.sendInitialEvents === true,
    bookmarks: options.allowWatchBookmarks,
    timeoutMs:
      (options.timeoutSeconds ?? 0) > 0 ? (options.timeoutSeconds as number) * 1000 : Math.round(MIN_WATCH_MS * (1 + Math.random())),
  };
  const atLeast = initial && revision ? revision : undefined;
  return {
    type: 'watch',
    resource,
    options: watchOptions,
    ...(atLeast === undefined ? {} : { atLeast }),
    consistent: revision === undefined,
  };
}

function joined(a: string | undefined, b: string): string {
  return a ? `${a},${b}` : b;
}

/**
 * Starts a watch. The sink gets what is there or what happened since, then everything that happens. A watch from the
 * future starts when that revision comes. Throws a 410 StatusError where the events are gone.
 * Returns how to stop it.
 */
export async function startWatch(
  api: Api,
  result: WatchResult,
  sink: Sink,
  bookmarkOf: (revision: number, initialDone: boolean) => string,
): Promise<() => void> {
  const { resource, options } = result;
  if (result.consistent) await api.cache.fresh();
  if (result.atLeast !== undefined && result.atLeast > api.cache.revision) await api.cache.waitFor(result.atLeast);
  const from = options.from;
  if (from === undefined) return api.hub.attach(resource, options, sink, undefined, bookmarkOf);
  if (from > api.cache.revision) return attachLater(api, result, sink, bookmarkOf);
  const backlog = resource.cache.since(from) ?? (await fromHistory(api, resource, from));
  return api.hub.attach(resource, options, sink, backlog, bookmarkOf);
}

/** The ring does not reach back: the store's log does, or the client must relist. */
async function fromHistory(api: Api, resource: Resource, from: number): Promise<CacheEvent[]> {
  const events: CacheEvent[] = [];
  try {
    for await (const batch of api.store.history(from, resource.cache.prefix)) {
      for (let index = 0; index < batch.keys.length; index++) {
        const key = batch.keys[index] as string;
        const revision = batch.revisions[index] as number;
        if (revision > api.cache.revision) break;
        const value = batch.values[index] as string | null;
        const previous = batch.previous[index] as string | null;
        events.push({
          revision,
          key,
          entry: value === null ? undefined : new Entry(key, value, revision),
          previous: previous === null ? undefined : new Entry(key, previous, batch.previousRevisions[index] as number),
        });
      }
    }
  } catch (error) {
    if (isCode(error, 'ERR_COMPACTED')) throw tooOldResourceVersion(from, (await api.store.info()).compacted + 1);
    throw error;
  }
  // What happened while the log was read is in the ring.
  const last = events.at(-1)?.revision ?? from;
  return [...events, ...resource.cache.recent(last)];
}

/**
 * A client cannot have seen a revision that is still to come, unless it asked another server that is ahead of this one,
 * or the store was set back. As upstream it hears nothing until that revision has passed.
 */
function attachLater(
  api: Api,
  result: WatchResult,
  sink: Sink,
  bookmarkOf: (revision: number, initialDone: boolean) => string,
): () => void {
  const { resource, options } = result;
  const from = options.from as number;
  const silent: Sink = {
    write: (batch) => {
      if (api.cache.revision > from) sink.write(batch);
    },
    end: () => sink.end(),
  };
  return api.hub.attach(resource, options, silent, [], bookmarkOf);
}

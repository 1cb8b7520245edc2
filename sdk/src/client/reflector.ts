import type { KubeObject, ResourceRef } from '../api/object.ts';
import { statusCode } from '../errors.ts';
import { Backoff, sleep } from './backoff.ts';
import type { Client, WatchEvent, WatchOptions } from './client.ts';
import { isGone } from './errors.ts';
import { objectKey } from './paths.ts';

/** Where a reflector puts what it reads. All calls come from one place, one after the other, in revision order. */
export interface ReflectorTarget<T extends KubeObject> {
  /** Everything there is, as of a revision. */
  replace(objects: T[], resourceVersion: string): void;
  apply(events: WatchEvent<T>[]): void;
  /** Nothing happened up to this revision. */
  advance(resourceVersion: string): void;
}

export interface ReflectorOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** See {@link ListOptions.metadataOnly}. */
  metadataOnly?: boolean;
  /** Objects per page of a list. Default 500; 0: all at once. */
  pageSize?: number;
  /** Start with a watch that sends what is there (WatchList) instead of a list. Falls back to a list where it is refused. */
  watchList?: boolean;
  signal: AbortSignal;
  onError?: (error: unknown, retryInMs: number) => void;
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
const PAGE_SIZE = 500;

/**
 * Keeps a target equal to a resource until the signal aborts: list, then watch from the list's revision; when the watch
 * ends, resume from the last revision seen (bookmarks count); when that revision is gone (410), list again.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function reflect<T extends KubeObject>(
  client: Client,
  resource: ResourceRef,
  target: ReflectorTarget<T>,
  options: ReflectorOptions,
): Promise<void> {
  await new Reflector(client, resource, target, options).run();
}

class Reflector<T extends KubeObject> {
  readonly #client: Client;
  readonly #resource: ResourceRef;
  readonly #target: ReflectorTarget<T>;
  readonly #options: ReflectorOptions;
  readonly #backoff = new Backoff({ baseMs: 50, maxMs: 30_000, jitter: 1 });
  /** Revision up to which the target is complete; undefined: it has to be filled anew. */
  #revision: string | undefined;
  #watchList: boolean;

  constructor(client: Client, resource: ResourceRef, target: ReflectorTarget<T>, options: ReflectorOptions) {
    this.#client = client;
    this.#resource = resource;
    this.#target = target;
    this.#options = options;
    this.#watchList = options.watchList ?? false;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const wasComplete = this.#revision !== undefined;
      try {
        if (!wasComplete && !this.#watchList) await this.#list();
        if (!signal.aborted) await this.#watch();
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, wasComplete);
      }
    }
  }

  async #recover(error: unknown, wasComplete: boolean): Promise<void> {
    if (isGone(error)) {
      this.#revision = undefined;
      // The first relist is due at once: it is how a reader that fell behind catches up.
      if (wasComplete) return;
    } else if (this.#watchList && this.#revision === undefined && [400, 403, 422].includes(statusCode(error))) {
      this.#watchList = false;
      return;
    }
    const retryInMs = this.#backoff.next();
    this.#options.onError?.(error, retryInMs);
    await sleep(retryInMs, this.#options.signal);
  }

  /** Pages of one revision, and all at once when the revision of the pages is gone on the way. */
  async #list(): Promise<void> {
    const { namespace, labelSelector, fieldSelector, metadataOnly, pageSize = PAGE_SIZE, signal } = this.#options;
    const selection = { namespace, labelSelector, fieldSelector, metadataOnly };
    let objects: T[] = [];
    let page = await this.#client.list<T>(this.#resource, { ...selection, limit: pageSize });
    for (;;) {
      objects = objects.length === 0 ? page.items : objects.concat(page.items);
      const next = page.metadata.continue;
      if (!next) break;
      if (signal.aborted) return;
      try {
        page = await this.#client.list<T>(this.#resource, { ...selection, limit: pageSize, continue: next });
      } catch (error) {
        if (!isGone(error)) throw error;
        objects = [];
        page = await this.#client.list<T>(this.#resource, selection);
      }
    }
    if (signal.aborted) return;
    const revision = page.metadata.resourceVersion ?? '';
    this.#target.replace(objects, revision);
    this.#revision = revision;
  }

  async #watch(): Promise<void> {
    const startedAt = Date.now();
    const initial = this.#revision === undefined ? new Map<string, T>() : undefined;
    let progressed = false;
    try {
      for await (const events of this.#client.watch<T>(this.#resource, this.#watchOptions())) {
        if (this.#options.signal.aborted) return;
        if (initial && this.#revision === undefined) this.#takeInitial(events, initial);
        else this.#take(events);
        progressed = true;
        this.#backoff.reset();
      }
    } finally {
      // A quiet resource's watch says nothing for minutes: that it lived is as good a sign as an event.
      if (Date.now() - startedAt > 1000) this.#backoff.reset();
    }
    // A server that ends watches as soon as they open would otherwise be asked in a tight loop.
    if (!progressed && Date.now() - startedAt < 1000) await sleep(this.#backoff.next(), this.#options.signal);
  }

  #take(events: WatchEvent<T>[]): void {
    const last = events.at(-1);
    if (!last) return;
    const changes = events.some((event) => event.type === 'BOOKMARK') ? events.filter((event) => event.type !== 'BOOKMARK') : events;
    this.#revision = last.object.metadata.resourceVersion ?? this.#revision ?? '';
    if (changes.length > 0) this.#target.apply(changes);
    if (last.type === 'BOOKMARK') this.#target.advance(this.#revision);
  }

  /** Gathers what a WatchList sends until the bookmark that says it is complete. Changes may come in between. */
  #takeInitial(events: WatchEvent<T>[], initial: Map<string, T>): void {
    for (const [index, { type, object }] of events.entries()) {
      if (type === 'DELETED') {
        initial.delete(objectKey(object));
      } else if (type !== 'BOOKMARK') {
        initial.set(objectKey(object), object);
      } else if (object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
        this.#revision = object.metadata.resourceVersion ?? '';
        this.#target.replace([...initial.values()], this.#revision);
        this.#take(events.slice(index + 1));
        return;
      }
    }
  }

  #watchOptions(): WatchOptions {
    const { namespace, labelSelector, fieldSelector, metadataOnly, signal } = this.#options;
    return {
      namespace,
      labelSelector,
      fieldSelector,
      metadataOnly,
      signal,
      allowWatchBookmarks: true,
      // Spread, so that a restarted server's clients do not all come back in the same second ever after.
      timeoutSeconds: 300 + Math.floor(Math.random() * 300),
      ...(this.#revision === undefined
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const }
        : { resourceVersion: this.#revision }),
    };
  }
}

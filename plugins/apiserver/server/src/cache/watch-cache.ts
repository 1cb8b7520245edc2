import { type EventBatch, isCode, type Logger, type Store, type StoreInfo } from '@kubernel/sdk';
import { tooLargeResourceVersion } from '../status.ts';
import type { Selectable } from './entry.ts';
import { type CacheEvent, ResourceCache } from './resource-cache.ts';

interface Waiter {
  revision: number;
  resolve(): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** How long a read waits for a revision the cache has not seen yet, as upstream: 3 seconds. */
const FRESHNESS_WAIT_MS = 3_000;

/**
 * Everything in the store, kept current by one subscription: events of all resources arrive in one total order, so one
 * revision says how far the whole cache is. Reads never leave this thread; a consistent read compares that revision
 * with the store's newest one by an atomic load and waits in the rare case that events are still on their way.
 */
export class WatchCache {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #resources = new Map<string, ResourceCache>();
  readonly #waiters: Waiter[] = [];
  readonly #resets = new Set<() => void>();
  readonly #progress = new Set<() => void>();
  /** What the write path knows about a value that is on its way back as an event. */
  readonly #written = new Map<string, { value: string; selectable: Selectable }>();
  #newest: BigInt64Array | undefined;
  #revision = 0;
  #synced = Promise.withResolvers<void>();
  #ready = false;

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** The revision up to which every resource of this cache is complete. */
  get revision(): number {
    return this.#revision;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** `core/pods/` -> its cache, made when first asked for. */
  resource(prefix: string): ResourceCache {
    let cache = this.#resources.get(prefix);
    if (!cache) {
      cache = new ResourceCache(prefix);
      cache.startAt(this.#revision);
      this.#resources.set(prefix, cache);
    }
    return cache;
  }

  /** Follows the store until the signal aborts. Resolves when the first snapshot is complete. */
  async start(signal: AbortSignal): Promise<void> {
    void this.#follow(signal);
    await this.#synced.promise;
  }

  /** Called when the cache is read anew and watchers must relist. */
  onReset(listener: () => void): void {
    this.#resets.add(listener);
  }

  /** Called after each batch of events, and when time passes without any. */
  onProgress(listener: () => void): void {
    this.#progress.add(listener);
  }

  /** The write path's gift: what it parsed anyway need not be parsed again when the event arrives. */
  remember(key: string, value: string, selectable: Selectable): void {
    this.#written.set(key, { value, selectable });
    if (this.#written.size > 4096) this.#written.clear();
  }

  /** Undefined when the cache is current, else a promise to wait for. Current means: it has every acknowledged write. */
  fresh(): Promise<void> | undefined {
    const newest = this.#newest ? Number(Atomics.load(this.#newest, 0)) : 0;
    return newest <= this.#revision ? undefined : this.waitFor(newest);
  }

  /** Waits until the cache has this revision; fails as upstream does when it is still in the future after 3 s. */
  waitFor(revision: number): Promise<void> {
    if (revision <= this.#revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(tooLargeResourceVersion(revision, this.#revision));
      }, FRESHNESS_WAIT_MS);
      const waiter: Waiter = { revision, resolve, reject, timer };
      this.#waiters.push(waiter);
    });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let from: number | undefined;
    while (!signal.aborted) {
      try {
        if (!this.#newest) {
          const info: StoreInfo = await this.#store.info();
          this.#newest = new BigInt64Array(info.revisionCell);
        }
        if (from === undefined) this.#reset();
        for await (const message of this.#store.subscribe({ prefix: '', ...(from === undefined ? {} : { from }) })) {
          if (signal.aborted) return;
          if (message.type === 'events') this.#apply(message.events);
          else if (message.type === 'snapshot') this.#load(message.page);
          else if (message.type === 'synced') this.#complete(message.revision);
          else this.#advance(message.revision);
          if (this.#ready) from = this.#revision;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warn('the subscription to the store ended, subscribing again', { error: String(error), revision: this.#revision });
        // Where the window is gone, all is read anew and every watcher relists.
        if (isCode(error, 'ERR_COMPACTED')) from = undefined;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  #reset(): void {
    this.#ready = false;
    for (const listener of this.#resets) listener();
    for (const cache of this.#resources.values()) cache.clear();
  }

  #load(page: { keys: string[]; values: string[]; revisions: number[] }): void {
    for (let index = 0; index < page.keys.length; index++) {
      const key = page.keys[index] as string;
      this.resource(prefixOf(key)).load(key, page.values[index] as string, page.revisions[index] as number);
    }
  }

  #complete(revision: number): void {
    for (const cache of this.#resources.values()) cache.startAt(revision);
    this.#ready = true;
    this.#advance(revision);
    this.#synced.resolve();
  }

  #apply(batch: EventBatch): void {
    const changed = new Map<ResourceCache, CacheEvent[]>();
    for (let index = 0; index < batch.keys.length; index++) {
      const key = batch.keys[index] as string;
      const value = batch.values[index] as string | null;
      const cache = this.resource(prefixOf(key));
      let selectable: Selectable | undefined;
      if (this.#written.size > 0) {
        const written = this.#written.get(key);
        if (written && written.value === value) {
          selectable = written.selectable;
          this.#written.delete(key);
        }
      }
      const event = cache.apply(key, value, batch.revisions[index] as number, batch.previous?.[index] ?? null, selectable);
      const events = changed.get(cache);
      if (events) events.push(event);
      else changed.set(cache, [event]);
    }
    // The revision moves before anyone is told, so that what a listener reads is consistent with what it was told.
    const revision = batch.revisions.at(-1) ?? this.#revision;
    if (revision > this.#revision) this.#revision = revision;
    for (const [cache, events] of changed) cache.publish(events);
    this.#wake();
  }

  #advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
    this.#wake();
  }

  #wake(): void {
    for (const listener of this.#progress) listener();
    for (let index = this.#waiters.length - 1; index >= 0; index--) {
      const waiter = this.#waiters[index] as Waiter;
      if (waiter.revision > this.#revision) continue;
      this.#waiters.splice(index, 1);
      clearTimeout(waiter.timer);
      waiter.resolve();
    }
  }
}

/** `core/pods/default/web` -> `core/pods/`. */
export function prefixOf(key: string): string {
  return key.slice(0, key.indexOf('/', key.indexOf('/') + 1) + 1);
}

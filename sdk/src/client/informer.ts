import type { KubeObject, ResourceRef } from '../api/object.ts';
import type { Client, WatchEvent } from './client.ts';
import { Indexer, type IndexFunction } from './indexer.ts';
import { objectKey, resourceName } from './paths.ts';
import { reflect } from './reflector.ts';

/**
 * A local, always converging copy of a resource (list, then watch; relist on 410; optional resync).
 * Objects are shared: never change one, clone it first.
 */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly resource: ResourceRef;
  /** `namespace/name`, or `name` for cluster-scoped resources. */
  get(key: string): T | undefined;
  list(): IterableIterator<T>;
  /** How many objects there are. */
  readonly size: number;
  /** Objects under an index value, see {@link InformerOptions.indexes}. */
  byIndex(index: string, value: string): readonly T[];
  /** How many objects an index value has. */
  countByIndex(index: string, value: string): number;
  /** Files what is there, and what comes, under one more index. Ignored when there is one of that name. */
  addIndex(name: string, values: (object: T) => string[]): void;
  /** Called in revision order; `old` is undefined for additions. A listener added late first sees all that is there. */
  on(handlers: InformerHandlers<T>): () => void;
  /** Resolves when the first list is complete and every handler saw it. Rejects when the informer is stopped before. */
  synced(): Promise<void>;
  readonly hasSynced: boolean;
  /** resourceVersion up to which the copy is complete. */
  readonly resourceVersion: string;
}

/**
 * Called one object at a time, in the order of registration for each event, and never for the same event twice. They
 * should only take note (add a key to a queue): while one runs, nothing else does. What one throws is reported and
 * keeps neither the others nor later events from being delivered.
 */
export interface InformerHandlers<T extends KubeObject> {
  add?(object: T): void;
  update?(object: T, old: T): void;
  /** `object` is the last state known: after a missed deletion, an older one than the final. */
  delete?(object: T): void;
}

export interface InformerOptions<T extends KubeObject> {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Calls `update(x, x)` for everything this often, in milliseconds; 0 (default): never. */
  resyncMs?: number;
  /** Index name -> the values an object is filed under. */
  indexes?: Record<string, (object: T) => string[]>;
  /** Drops what its owner never reads (managedFields, …) before an object is kept. May change the object in place. */
  transform?: (object: T) => T;
  /** Objects per page of a list. Default 500. */
  pageSize?: number;
  /** Start with a WatchList instead of a list (KEP-3157). Default false; falls back to a list where it is refused. */
  watchList?: boolean;
  /** Stops the informer. */
  signal?: AbortSignal;
  /**
   * Told about failed lists and watches (they are repeated with backoff) and about handlers that throw. `isBrief`: a
   * failure so new that it may be no more than a server that restarts.
   */
  onError?: (error: unknown, message: string, isBrief: boolean) => void;
}

export interface RunningInformer<T extends KubeObject = KubeObject> extends Informer<T> {
  stop(): void;
}

/** Starts at once (handlers added in the same turn see everything) and runs until stopped. */
export function createInformer<T extends KubeObject>(
  client: Client,
  resource: ResourceRef,
  options: InformerOptions<T> = {},
): RunningInformer<T> {
  return new ReflectingInformer(client, resource, options);
}

/** Retries that are less than this apart are the first few of an outage. */
const BRIEF_MS = 1000;

class ReflectingInformer<T extends KubeObject> implements RunningInformer<T> {
  readonly resource: ResourceRef;
  resourceVersion = '';
  readonly #indexer = new Indexer<T>();
  readonly #handlers = new Set<InformerHandlers<T>>();
  readonly #options: InformerOptions<T>;
  readonly #stop = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;

  constructor(client: Client, resource: ResourceRef, options: InformerOptions<T>) {
    this.resource = resource;
    this.#options = options;
    for (const [name, values] of Object.entries(options.indexes ?? {})) this.#indexer.addIndex(name, values);
    // Someone who never asks for synced() must not be ended by its rejection.
    this.#synced.promise.catch(() => undefined);
    const signal = options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal;
    signal.addEventListener('abort', () => this.#synced.reject(new Error(`the informer of ${resourceName(resource)} was stopped`)), {
      once: true,
    });
    if (options.resyncMs) this.#resyncEvery(options.resyncMs, signal);
    queueMicrotask(() => {
      reflect<T>(client, resource, this.#target(), {
        ...(options.namespace ? { namespace: options.namespace } : {}),
        ...(options.labelSelector ? { labelSelector: options.labelSelector } : {}),
        ...(options.fieldSelector ? { fieldSelector: options.fieldSelector } : {}),
        ...(options.pageSize === undefined ? {} : { pageSize: options.pageSize }),
        ...(options.watchList === undefined ? {} : { watchList: options.watchList }),
        signal,
        onError: (error, retryInMs) =>
          this.#report(error, `cannot follow ${resourceName(resource)}, next try in ${Math.round(retryInMs)} ms`, retryInMs < BRIEF_MS),
      }).catch((error: unknown) => this.#report(error, `the informer of ${resourceName(resource)} ended`));
    });
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get size(): number {
    return this.#indexer.size;
  }

  get(key: string): T | undefined {
    return this.#indexer.get(key);
  }

  list(): IterableIterator<T> {
    return this.#indexer.list();
  }

  byIndex(index: string, value: string): readonly T[] {
    return this.#indexer.byIndex(index, value);
  }

  countByIndex(index: string, value: string): number {
    return this.#indexer.countByIndex(index, value);
  }

  addIndex(name: string, values: IndexFunction<T>): void {
    this.#indexer.addIndex(name, values);
  }

  on(handlers: InformerHandlers<T>): () => void {
    for (const object of this.#indexer.list()) this.#call(handlers, 'add', object);
    this.#handlers.add(handlers);
    return () => this.#handlers.delete(handlers);
  }

  synced(): Promise<void> {
    return this.#synced.promise;
  }

  stop(): void {
    this.#stop.abort();
  }

  #target() {
    return {
      replace: (objects: T[], resourceVersion: string): void => this.#replace(objects, resourceVersion),
      apply: (events: WatchEvent<T>[]): void => this.#apply(events),
      advance: (resourceVersion: string): void => {
        this.resourceVersion = resourceVersion;
      },
    };
  }

  /** The difference between what is kept and what is there now, as events. */
  #replace(objects: T[], resourceVersion: string): void {
    const gone = new Set(this.#indexer.keys());
    this.resourceVersion = resourceVersion;
    for (const object of objects) {
      const key = objectKey(object);
      gone.delete(key);
      const old = this.#indexer.get(key);
      if (old && old.metadata.uid !== object.metadata.uid) {
        // Deleted and made anew while nobody looked: two objects, so two events.
        this.#remove(key);
        this.#put(key, object);
      } else if (old?.metadata.resourceVersion !== object.metadata.resourceVersion || !old) {
        this.#put(key, object);
      }
    }
    for (const key of gone) this.#remove(key);
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      this.#synced.resolve();
    }
  }

  #apply(events: WatchEvent<T>[]): void {
    for (const { type, object } of events) {
      const key = objectKey(object);
      this.resourceVersion = object.metadata.resourceVersion ?? this.resourceVersion;
      if (type === 'DELETED') this.#remove(key, object);
      else this.#put(key, object);
    }
  }

  #put(key: string, arrived: T): void {
    const object = this.#options.transform ? this.#options.transform(arrived) : arrived;
    const old = this.#indexer.set(key, object);
    for (const handlers of this.#handlers) this.#call(handlers, old ? 'update' : 'add', object, old);
  }

  #remove(key: string, final?: T): void {
    const old = this.#indexer.delete(key);
    if (!old) return;
    const last = final && this.#options.transform ? this.#options.transform(final) : (final ?? old);
    for (const handlers of this.#handlers) this.#call(handlers, 'delete', last);
  }

  #call(handlers: InformerHandlers<T>, event: 'add' | 'update' | 'delete', object: T, old?: T): void {
    try {
      if (event === 'update') handlers.update?.(object, old as T);
      else if (event === 'add') handlers.add?.(object);
      else handlers.delete?.(object);
    } catch (error) {
      this.#report(error, `a handler of ${resourceName(this.resource)} threw`);
    }
  }

  #resyncEvery(resyncMs: number, signal: AbortSignal): void {
    const timer = setInterval(() => {
      for (const object of this.#indexer.list()) {
        for (const handlers of this.#handlers) this.#call(handlers, 'update', object, object);
      }
    }, resyncMs);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  #report(error: unknown, message: string, isBrief = false): void {
    this.#options.onError?.(error, message, isBrief);
  }
}

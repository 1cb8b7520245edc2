import type { KubeObject, ResourceRef } from '../api/object.ts';

/**
 * A local, always converging copy of a resource (list, then watch; relist on 410; optional resync).
 * Objects are shared: never change one, clone it first.
 */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly resource: ResourceRef;
  /** `namespace/name`, or `name` for cluster-scoped resources. */
  get(key: string): T | undefined;
  list(): IterableIterator<T>;
  /** Objects under an index value, see {@link InformerOptions.indexes}. */
  byIndex(index: string, value: string): readonly T[];
  /** Called in revision order; `old` is undefined for additions. A listener added late first sees all that is there. */
  on(handlers: InformerHandlers<T>): () => void;
  /** Resolves when the first list is complete and every handler saw it. */
  synced(): Promise<void>;
  readonly hasSynced: boolean;
  /** resourceVersion up to which the copy is complete. */
  readonly resourceVersion: string;
}

export interface InformerHandlers<T extends KubeObject> {
  add?(object: T): void;
  update?(object: T, old: T): void;
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
}

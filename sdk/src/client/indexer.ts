import type { KubeObject } from '../api/object.ts';

export type IndexFunction<T extends KubeObject> = (object: T) => string[];

/** The objects of an informer by key, and under the values of its indexes. Values keep the order in which objects came. */
export class Indexer<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, { values: IndexFunction<T>; buckets: Map<string, Map<string, T>> }>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  list(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** Adding an index to what is already there files every object once. A second index of the same name is ignored. */
  addIndex(name: string, values: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index = { values, buckets: new Map<string, Map<string, T>>() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) file(index.buckets, values(object), key, object);
  }

  byIndex(name: string, value: string): readonly T[] {
    const bucket = this.#index(name).buckets.get(value);
    return bucket ? [...bucket.values()] : NONE;
  }

  /** How many objects are filed under a value, without making a list of them. */
  countByIndex(name: string, value: string): number {
    return this.#index(name).buckets.get(value)?.size ?? 0;
  }

  /** Returns what was there before. */
  set(key: string, object: T): T | undefined {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const { values, buckets } of this.#indexes.values()) {
      if (old) unfile(buckets, values(old), key);
      file(buckets, values(object), key, object);
    }
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (!old) return undefined;
    this.#objects.delete(key);
    for (const { values, buckets } of this.#indexes.values()) unfile(buckets, values(old), key);
    return old;
  }

  #index(name: string): { values: IndexFunction<T>; buckets: Map<string, Map<string, T>> } {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`this informer has no index "${name}": name it in the options`);
    return index;
  }
}

const NONE: readonly never[] = [];

function file<T>(buckets: Map<string, Map<string, T>>, values: string[], key: string, object: T): void {
  for (const value of values) {
    let bucket = buckets.get(value);
    if (!bucket) buckets.set(value, (bucket = new Map()));
    bucket.set(key, object);
  }
}

function unfile<T>(buckets: Map<string, Map<string, T>>, values: string[], key: string): void {
  for (const value of values) {
    const bucket = buckets.get(value);
    if (bucket?.delete(key) && bucket.size === 0) buckets.delete(value);
  }
}

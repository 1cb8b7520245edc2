import type { KubeObject } from '../api/object.ts';

export type IndexFunction<T extends KubeObject> = (object: T) => string[];

/** The objects of an informer by key, and under the values of its indexes. Values keep the order in which objects came. */
export class Indexer<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, { values: IndexFunction<T>; buckets: Buckets<T> }>();

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
    const index: { values: IndexFunction<T>; buckets: Buckets<T> } = { values, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) file(index.buckets, values(object), key, object);
  }

  byIndex(name: string, value: string): readonly T[] {
    const bucket = this.#index(name).buckets.get(value);
    if (!bucket) return NONE;
    return bucket instanceof Map ? [...bucket.values()] : [bucket.object];
  }

  /** How many objects are filed under a value, without making a list of them. */
  countByIndex(name: string, value: string): number {
    const bucket = this.#index(name).buckets.get(value);
    return bucket instanceof Map ? bucket.size : bucket ? 1 : 0;
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

  #index(name: string): { values: IndexFunction<T>; buckets: Buckets<T> } {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`this informer has no index "${name}": name it in the options`);
    return index;
  }
}

const NONE: readonly never[] = [];

/** Many values have one object, for which a Map would be larger than the object's own fields. */
type Buckets<T> = Map<string, { key: string; object: T } | Map<string, T>>;

function file<T>(buckets: Buckets<T>, values: string[], key: string, object: T): void {
  for (const value of values) {
    const bucket = buckets.get(value);
    if (bucket instanceof Map) bucket.set(key, object);
    else if (!bucket || bucket.key === key) buckets.set(value, { key, object });
    else buckets.set(value, new Map([[bucket.key, bucket.object] as const, [key, object] as const]));
  }
}

function unfile<T>(buckets: Buckets<T>, values: string[], key: string): void {
  for (const value of values) {
    const bucket = buckets.get(value);
    if (bucket instanceof Map ? bucket.delete(key) && bucket.size === 0 : bucket?.key === key) buckets.delete(value);
  }
}

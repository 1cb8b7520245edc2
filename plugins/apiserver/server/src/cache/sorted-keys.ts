/**
 * Keys in order, for lists. Writes are cheap (a note), and the order is repaired when somebody lists: a few changes by
 * binary insertion, many by one merge.
 */
export class SortedKeys {
  #keys: string[] = [];
  #added = new Set<string>();
  #removed = new Set<string>();

  add(key: string): void {
    if (!this.#removed.delete(key)) this.#added.add(key);
  }

  remove(key: string): void {
    if (!this.#added.delete(key)) this.#removed.add(key);
  }

  /** All keys in order. Valid until the next change. */
  all(): readonly string[] {
    const changes = this.#added.size + this.#removed.size;
    if (changes === 0) return this.#keys;
    if (changes <= 32) {
      // A copy: a list that is being written out may still hold the old array.
      const keys = this.#keys.slice();
      for (const key of this.#removed) keys.splice(lowerBound(keys, key), 1);
      for (const key of this.#added) keys.splice(lowerBound(keys, key), 0, key);
      this.#keys = keys;
    } else {
      this.#keys = this.#merge();
    }
    this.#added.clear();
    this.#removed.clear();
    return this.#keys;
  }

  #merge(): string[] {
    const added = [...this.#added].sort();
    const out: string[] = [];
    let next = 0;
    for (const key of this.#keys) {
      if (this.#removed.has(key)) continue;
      while (next < added.length && (added[next] as string) < key) out.push(added[next++] as string);
      out.push(key);
    }
    while (next < added.length) out.push(added[next++] as string);
    return out;
  }
}

/** Index of the first key that is not smaller. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The half-open index range of keys that start with a prefix. */
export function prefixRange(keys: readonly string[], prefix: string): [number, number] {
  if (prefix === '') return [0, keys.length];
  const last = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return [lowerBound(keys, prefix), lowerBound(keys, last)];
}

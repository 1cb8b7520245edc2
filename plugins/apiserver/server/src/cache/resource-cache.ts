import type { KubeObject } from '@kubernel/sdk/api';
import { Entry, type FieldExtractor, type Selectable, withResourceVersion } from './entry.ts';
import { prefixRange, SortedKeys } from './sorted-keys.ts';

/** A change of one object, shared by everyone who watches. */
export interface CacheEvent {
  revision: number;
  key: string;
  /** Undefined: the object was deleted. */
  entry: Entry | undefined;
  /** The object before; undefined: it was created. */
  previous: Entry | undefined;
}

/** How many events a watch may resume over without asking the store's history. */
const RING_SIZE = 4096;

/** All objects of one stored resource, and its latest events. */
export class ResourceCache {
  /** `core/pods/`. */
  readonly prefix: string;
  /** Field selectors beyond name and namespace; set when the resource is registered. */
  fields: FieldExtractor = {};
  readonly entries = new Map<string, Entry>();
  readonly #keys = new SortedKeys();
  #ring: CacheEvent[] = [];
  /** Events above this revision are in the ring, as long as the ring was never cut. */
  #ringFrom = 0;
  readonly #listeners = new Set<(events: readonly CacheEvent[]) => void>();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Other fields than before: what was extracted is extracted again when it is asked for. */
  setFields(fields: FieldExtractor): void {
    const names = (of: FieldExtractor): string => Object.keys(of).sort().join();
    if (names(fields) !== names(this.fields)) for (const entry of this.entries.values()) entry.forgetSelectable();
    this.fields = fields;
  }

  /** From the store's snapshot, before `synced`. */
  load(key: string, value: string, revision: number): void {
    if (!this.entries.has(key)) this.#keys.add(key);
    this.entries.set(key, new Entry(key, value, revision));
  }

  startAt(revision: number): void {
    this.#ringFrom = revision;
  }

  /** Forget all, because the store is read anew. Watchers have been ended before. */
  clear(): void {
    for (const key of this.entries.keys()) this.#keys.remove(key);
    this.entries.clear();
    this.#ring = [];
  }

  apply(key: string, value: string | null, revision: number, previousValue: string | null, written: Selectable | undefined): CacheEvent {
    const old = this.entries.get(key);
    let event: CacheEvent;
    if (value === null) {
      this.entries.delete(key);
      if (old) this.#keys.remove(key);
      const last = old ?? (previousValue === null ? undefined : new Entry(key, previousValue, revision));
      event = { revision, key, entry: undefined, previous: last };
    } else {
      const entry = new Entry(key, value, revision, written);
      if (!old) this.#keys.add(key);
      this.entries.set(key, entry);
      event = { revision, key, entry, previous: old };
    }
    this.#ring.push(event);
    // Cut in halves, so that the cost of shifting is paid once in 4,096 events.
    if (this.#ring.length >= RING_SIZE * 2) {
      const cut = this.#ring.splice(0, RING_SIZE);
      this.#ringFrom = (cut.at(-1) as CacheEvent).revision;
    }
    return event;
  }

  publish(events: readonly CacheEvent[]): void {
    for (const listener of this.#listeners) listener(events);
  }

  listen(listener: (events: readonly CacheEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events after a revision, or undefined when the ring does not reach back that far. */
  since(revision: number): readonly CacheEvent[] | undefined {
    return revision < this.#ringFrom ? undefined : this.recent(revision);
  }

  /** Those of the ring that are after a revision, for callers who know the rest from the store's log. */
  recent(revision: number): readonly CacheEvent[] {
    let low = 0;
    let high = this.#ring.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ring[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#ring.slice(low);
  }

  /** Entries whose key starts with `prefix` + `namespace/`, in key order; all of them without a namespace. */
  ordered(namespace: string): Entry[] {
    const keys = this.#keys.all();
    const [from, to] = namespace ? prefixRange(keys, `${this.prefix}${namespace}/`) : [0, keys.length];
    const out = new Array<Entry>(to - from);
    for (let index = from; index < to; index++) out[index - from] = this.entries.get(keys[index] as string) as Entry;
    return out;
  }

  objects(namespace: string): KubeObject[] {
    return this.ordered(namespace).map((entry) => entry.object);
  }
}

/** The text of a deleted object: what it was last, at the revision of its deletion. */
export function deletedText(event: CacheEvent): string {
  const last = event.previous as Entry;
  return atRevision(last.text, last.revision, event.revision);
}

/** The same object text at another revision. */
export function atRevision(text: string, from: number, to: number): string {
  if (from === to) return text;
  const member = `"resourceVersion":"${from}"`;
  const at = text.indexOf(member);
  return at < 0 ? withResourceVersion(text, to) : `${text.slice(0, at)}"resourceVersion":"${to}"${text.slice(at + member.length)}`;
}

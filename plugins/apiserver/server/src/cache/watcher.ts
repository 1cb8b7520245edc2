import { type Resource, textOf } from '../registry.ts';
import { type Selection, selects } from '../selection.ts';
import type { Entry } from './entry.ts';
import { type CacheEvent, deletedText, type ResourceCache } from './resource-cache.ts';
import type { WatchCache } from './watch-cache.ts';

export interface WatchOptions {
  selection: Selection;
  /** Events after this revision; undefined: start with what is there as ADDED events. */
  from: number | undefined;
  /** WatchList (KEP-3157): what is there as ADDED events, then a bookmark that says so. */
  initialEvents: boolean;
  bookmarks: boolean;
  /** Milliseconds after which the server ends the watch. */
  timeoutMs: number;
  /** How an object is shown; undefined: as it is. Its name goes into the group's signature. */
  view?: WatchView;
}

/** Another representation of the objects of a watch: a Table, PartialObjectMetadata. */
export interface WatchView {
  signature: string;
  /** The JSON of one object, given the JSON of the object itself. */
  render?(text: string): string;
  /** A whole event in another encoding than lines of JSON. Its bytes are carried one to a character (latin1). */
  frame?(type: string, text: string): string;
}

/** Where a watcher's batches go: newline-terminated JSON events. The same batch object is given to all sinks of a group. */
export interface Sink {
  write(batch: Batch): void;
  /** No more events. `error`: the text of an ERROR event's Status that the client should still get. */
  end(): void;
}

/** Events of one turn, encoded once for every watcher that selects the same ones, and framed once for each transport. */
export class Batch {
  readonly text: string;
  readonly #encoding: 'utf8' | 'latin1';
  #bytes: Buffer | undefined;
  #chunk: Buffer | undefined;

  constructor(text: string, view?: WatchView) {
    this.text = text;
    this.#encoding = view?.frame ? 'latin1' : 'utf8';
  }

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.text, this.#encoding);
    return this.#bytes;
  }

  /** As one chunk of HTTP/1.1's chunked transfer coding. */
  get chunk(): Buffer {
    this.#chunk ??= Buffer.concat([Buffer.from(`${this.bytes.length.toString(16)}\r\n`), this.bytes, CRLF]);
    return this.#chunk;
  }
}

const CRLF = Buffer.from('\r\n');

/** Watchers that see the same events in the same form. Encodes each turn's events once for all of them. */
class WatchGroup {
  readonly #resource: Resource;
  readonly #selection: Selection;
  readonly #view: WatchView | undefined;
  readonly sinks = new Set<Sink>();
  #pending: CacheEvent[] = [];
  #scheduled = false;
  #stop: (() => void) | undefined;

  constructor(resource: Resource, selection: Selection, view: WatchView | undefined) {
    this.#resource = resource;
    this.#selection = selection;
    this.#view = view;
  }

  start(): void {
    this.#stop ??= this.#resource.cache.listen((events) => {
      for (const event of events) this.#pending.push(event);
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.flush();
      });
    });
  }

  /** Hands out what is pending: also before somebody joins, so that it does not see events twice. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const text = this.encode(this.#pending);
    this.#pending = [];
    if (text === '') return;
    const batch = new Batch(text, this.#view);
    for (const sink of this.sinks) sink.write(batch);
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#pending = [];
  }

  encode(events: readonly CacheEvent[]): string {
    let text = '';
    for (const event of events) text += eventText(event, this.#resource, this.#selection, this.#view);
    return text;
  }
}

/** One event as a line, '' when the selection does not concern it. */
function eventText(event: CacheEvent, resource: Resource, selection: Selection, view: WatchView | undefined): string {
  const now = event.entry !== undefined && selects(selection, resource, event.entry);
  const before = event.previous !== undefined && selects(selection, resource, event.previous);
  if (now) return line(before ? 'MODIFIED' : 'ADDED', textOf(resource, event.entry as Entry), view);
  if (!before) return '';
  // An object that leaves the selection is shown as it was last, at the revision at which it left.
  const text = resource.convert ? lastText(resource, event) : deletedText(event);
  return line('DELETED', text, view);
}

function lastText(resource: Resource, event: CacheEvent): string {
  const last = event.previous as Entry;
  return textOf(resource, last).replace(`"resourceVersion":"${last.revision}"`, `"resourceVersion":"${event.revision}"`);
}

export function line(type: string, text: string, view: WatchView | undefined): string {
  if (view?.frame) return view.frame(type, view.render ? view.render(text) : text);
  return `{"type":"${type}","object":${view?.render ? view.render(text) : text}}\n`;
}

interface Watcher {
  readonly sink: Sink;
  readonly view: WatchView | undefined;
  readonly bookmark: ((revision: number, initialDone: boolean) => string) | undefined;
  readonly endsAt: number;
  nextBookmark: number;
  end(): void;
}

/** A bookmark about once a minute, and one two seconds before the watch times out, as upstream. */
const BOOKMARK_MS = 60_000;
const BEFORE_TIMEOUT_MS = 2_000;

function nextBookmark(now: number, endsAt: number): number {
  const before = endsAt - BEFORE_TIMEOUT_MS;
  return before > now && before < now + BOOKMARK_MS ? before : now + BOOKMARK_MS;
}

/** All watchers of the server: groups them, sends bookmarks, ends them in time. One timer serves all. */
export class WatchHub {
  readonly #cache: WatchCache;
  readonly #groups = new Map<string, WatchGroup>();
  readonly #watchers = new Set<Watcher>();
  readonly #timer: NodeJS.Timeout;

  constructor(cache: WatchCache) {
    this.#cache = cache;
    cache.onReset(() => this.endAll());
    this.#timer = setInterval(() => this.#tick(Date.now()), 1_000);
    this.#timer.unref();
  }

  get size(): number {
    return this.#watchers.size;
  }

  close(): void {
    clearInterval(this.#timer);
    this.endAll();
  }

  endAll(): void {
    for (const watcher of [...this.#watchers]) watcher.end();
  }

  /**
   * Attaches a sink: first `backlog` events (everything after the revision the client resumes from), then live ones.
   * All synchronously, so nothing is lost or repeated in between. Returns how to detach.
   */
  attach(
    resource: Resource,
    options: WatchOptions,
    sink: Sink,
    backlog: readonly CacheEvent[] | undefined,
    bookmark: (revision: number, initialDone: boolean) => string,
  ): () => void {
    const { selection, view } = options;
    const signature = `${resource.apiVersion}/${resource.plural}\n${view?.signature ?? ''}\n${selection.signature}`;
    let group = this.#groups.get(signature);
    if (!group) {
      group = new WatchGroup(resource, selection, view);
      this.#groups.set(signature, group);
    }
    group.flush();
    group.start();
    if (backlog === undefined) {
      let text = '';
      for (const entry of initialEntries(resource.cache, selection, resource)) {
        text += line('ADDED', textOf(resource, entry), view);
        // Long first lists go out in parts: one string of all of them would be held twice.
        if (text.length > 1 << 20) {
          sink.write(new Batch(text, view));
          text = '';
        }
      }
      if (options.initialEvents && options.bookmarks) text += bookmark(this.#cache.revision, true);
      if (text) sink.write(new Batch(text, view));
    } else {
      const text = group.encode(backlog);
      if (text) sink.write(new Batch(text, view));
    }
    group.sinks.add(sink);
    const now = Date.now();
    const endsAt = now + options.timeoutMs;
    const watcher: Watcher = {
      sink,
      view,
      bookmark: options.bookmarks ? bookmark : undefined,
      endsAt,
      nextBookmark: nextBookmark(now, endsAt),
      end: () => {
        detach();
        sink.end();
      },
    };
    const detach = (): void => {
      // Twice is once: by its time, and again when the connection closes. The group may be another's by then.
      if (!this.#watchers.delete(watcher)) return;
      group.sinks.delete(sink);
      if (group.sinks.size > 0) return;
      group.stop();
      this.#groups.delete(signature);
    };
    this.#watchers.add(watcher);
    return detach;
  }

  #tick(now: number): void {
    for (const watcher of [...this.#watchers]) {
      const over = now >= watcher.endsAt;
      if (watcher.bookmark && now >= watcher.nextBookmark) {
        watcher.nextBookmark = nextBookmark(now, watcher.endsAt);
        this.#flushAll();
        watcher.sink.write(new Batch(watcher.bookmark(this.#cache.revision, false), watcher.view));
      }
      if (over) watcher.end();
    }
  }

  /** A bookmark promises that everything before it has been sent. */
  #flushAll(): void {
    for (const group of this.#groups.values()) group.flush();
  }
}

export function initialEntries(cache: ResourceCache, selection: Selection, resource: Resource): Entry[] {
  if (selection.name !== undefined && (selection.namespace !== '' || !resource.namespaced)) {
    const key = resource.namespaced ? `${cache.prefix}${selection.namespace}/${selection.name}` : `${cache.prefix}${selection.name}`;
    const entry = cache.entries.get(key);
    return entry && selects(selection, resource, entry) ? [entry] : [];
  }
  const entries = cache.ordered(resource.namespaced ? selection.namespace : '');
  return selection.labels || selection.fields.length > 0 ? entries.filter((entry) => selects(selection, resource, entry)) : entries;
}

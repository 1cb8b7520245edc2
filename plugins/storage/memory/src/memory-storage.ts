import {
  CONFLICT_ABSENT,
  type CommitResult,
  type ErrorCode,
  EXPECT_ABSENT,
  EXPECT_ANY,
  type HistoryBatch,
  KubernelError,
  type ListOptions,
  type ListPage,
  type Storage,
  type StorageStats,
  type StoredValue,
  type WriteBatch,
} from '@kubernel/sdk';
import { SortedKeys } from './sorted-keys.ts';

export interface MemoryOptions {
  /** See config.schema.json. */
  historyMs?: number;
  /** Default 32 MiB. */
  maxHistoryBytes?: number;
  maxSizeBytes?: number;
  /** Milliseconds since the epoch; default Date.now. */
  now?: () => number;
}

/** One write: an entry of the log, and a link in its key's chain of versions, which runs back in time. */
interface Version {
  revision: number;
  key: string;
  value: string | null;
  time: number;
  /** The version before it that history still holds. */
  older: Version | undefined;
  /** The live version it replaced, for history; undefined when the key did not exist. */
  previous: Version | undefined;
}

const PAGE_CHARS = 1 << 20;
const PAGE_ROWS = 4096;
/** What a version weighs beside its strings, roughly. */
const VERSION_BYTES = 160;

/** storage/v1 in memory. Nothing survives the process; "durable" means "in this object". */
export class MemoryStorage implements Storage {
  readonly #options: MemoryOptions;
  readonly #maxHistoryBytes: number;
  readonly #now: () => number;
  /** The newest version of each key, deletions included while history holds them. */
  readonly #newest = new Map<string, Version>();
  readonly #keys = new SortedKeys();
  /** Versions in revision order; those before `#head` are at or below `#compacted`. */
  #log: Version[] = [];
  #head = 0;
  #revision = 0;
  #compacted = 0;
  #compactedTime = 0;
  #time = 0;
  #live = 0;
  #sizeBytes = 0;
  /** Bytes of what is superseded or deleted. */
  #historyBytes = 0;
  #full = false;
  #closed = false;

  constructor(options: MemoryOptions = {}) {
    this.#options = options;
    this.#maxHistoryBytes = options.maxHistoryBytes ?? 32 << 20;
    this.#now = options.now ?? Date.now;
  }

  async commit(batch: WriteBatch): Promise<CommitResult> {
    this.#use();
    const { keys, values, expects } = batch;
    if (keys.length !== values.length || keys.length !== expects.length)
      throw fail('ERR_STORAGE_INVALID', 'the columns of the batch differ in length');
    this.#checkRoom(batch);
    const revisions: number[] = new Array(keys.length);
    const previousRevisions: number[] = new Array(keys.length);
    this.#time = Math.max(this.#time, this.#now());
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const value = values[i] as string | null;
      const expect = expects[i] as number;
      const newest = this.#newest.get(key);
      const found = newest && newest.value !== null ? newest.revision : 0;
      previousRevisions[i] = 0;
      if ((expect === EXPECT_ANY || expect === found) && (value !== null || found !== 0)) {
        revisions[i] = this.#write(key, value, newest);
        previousRevisions[i] = found;
      } else {
        revisions[i] = found === EXPECT_ABSENT ? CONFLICT_ABSENT : -found;
      }
    }
    if (this.#historyBytes > this.#maxHistoryBytes) this.#shrinkHistory();
    return { revisions, previousRevisions };
  }

  #write(key: string, value: string | null, older: Version | undefined): number {
    const previous = older?.value === null ? undefined : older;
    const version: Version = { revision: ++this.#revision, key, value, time: this.#time, older, previous };
    if (!older) this.#keys.add(key);
    this.#newest.set(key, version);
    this.#log.push(version);
    const bytes = sizeOf(version);
    this.#sizeBytes += bytes;
    if (previous) this.#historyBytes += sizeOf(previous);
    if (value === null) {
      this.#historyBytes += bytes;
      this.#live--;
    } else if (!previous) this.#live++;
    return version.revision;
  }

  #checkRoom({ keys, values, reserve }: WriteBatch): void {
    const { maxSizeBytes } = this.#options;
    if (maxSizeBytes === undefined || reserve || values.every((value) => value === null)) return;
    let bytes = this.#sizeBytes;
    for (let i = 0; i < keys.length; i++) bytes += VERSION_BYTES + (keys[i] as string).length + (values[i]?.length ?? 0);
    this.#full = bytes > maxSizeBytes;
    if (this.#full) throw fail('ERR_STORAGE_FULL', `more than maxSizeBytes (${maxSizeBytes})`, 'delete objects, or raise maxSizeBytes');
  }

  async get(key: string, revision?: number): Promise<StoredValue | null> {
    this.#use();
    const version = this.#versionAt(key, this.#at(revision));
    return version ? { key, value: version.value, revision: version.revision } : null;
  }

  async *list({ prefix, revision, after, limit = Number.POSITIVE_INFINITY }: ListOptions): AsyncGenerator<ListPage, void> {
    this.#use();
    const at = this.#at(revision);
    let start = startOf(prefix, after);
    let left = limit;
    for (;;) {
      this.#use();
      this.#at(at);
      const page: ListPage = { revision: at, keys: [], values: [], revisions: [] };
      const more = this.#fill(page, prefix, start, Math.min(left, PAGE_ROWS));
      left -= page.keys.length;
      yield page;
      if (!more || left <= 0) return;
      start = `${page.keys.at(-1) as string}\0`;
    }
  }

  /** True when the page is full before the prefix ends. */
  #fill(page: ListPage, prefix: string, start: string, rows: number): boolean {
    let chars = 0;
    for (const key of this.#keys.from(start)) {
      if (!key.startsWith(prefix)) break;
      const version = this.#versionAt(key, page.revision);
      if (!version) continue;
      page.keys.push(key);
      page.values.push(version.value);
      page.revisions.push(version.revision);
      chars += version.value.length;
      if (page.keys.length >= rows || chars >= PAGE_CHARS) return true;
    }
    return false;
  }

  async count({ prefix, after, revision }: { prefix: string; after?: string; revision?: number }): Promise<number> {
    this.#use();
    const at = this.#at(revision);
    let count = 0;
    for (const key of this.#keys.from(startOf(prefix, after))) {
      if (!key.startsWith(prefix)) break;
      if (this.#versionAt(key, at)) count++;
    }
    return count;
  }

  async *history(from: number, prefix = ''): AsyncGenerator<HistoryBatch, void> {
    this.#use();
    const newest = this.#revision;
    let position = from;
    while (position < newest) {
      this.#use();
      if (position < this.#compacted) throw compacted(position, this.#compacted);
      const batch: HistoryBatch = { revisions: [], keys: [], values: [], previous: [], previousRevisions: [] };
      let chars = 0;
      let index = this.#indexAfter(position);
      for (; index < this.#log.length && chars < PAGE_CHARS && batch.keys.length < PAGE_ROWS; index++) {
        const { revision, key, value, previous } = this.#log[index] as Version;
        if (revision > newest) break;
        position = revision;
        if (!key.startsWith(prefix)) continue;
        batch.revisions.push(revision);
        batch.keys.push(key);
        batch.values.push(value);
        batch.previous.push(previous?.value ?? null);
        batch.previousRevisions.push(previous?.revision ?? 0);
        chars += (value?.length ?? 0) + (previous?.value?.length ?? 0);
      }
      if (batch.keys.length > 0) yield batch;
    }
  }

  async compact(revision: number): Promise<void> {
    this.#use();
    if (revision > this.#revision) throw future(revision, this.#revision);
    this.#compact(revision);
  }

  #compact(target: number): void {
    if (target <= this.#compacted) return;
    for (; this.#head < this.#log.length && (this.#log[this.#head] as Version).revision <= target; this.#head++) {
      const version = this.#log[this.#head] as Version;
      this.#compactedTime = version.time;
      if (version.previous) this.#forget(version.previous);
      version.older = undefined;
      version.previous = undefined;
      if (version.value !== null) continue;
      this.#forget(version);
      if (this.#newest.get(version.key) === version) {
        this.#newest.delete(version.key);
        this.#keys.delete(version.key);
      }
    }
    this.#compacted = target;
    if (this.#head > 1024 && this.#head * 2 > this.#log.length) {
      this.#log = this.#log.slice(this.#head);
      this.#head = 0;
    }
  }

  #forget(version: Version): void {
    const bytes = sizeOf(version);
    this.#sizeBytes -= bytes;
    this.#historyBytes -= bytes;
  }

  /** Halves the history when it weighs too much, so that this is not done with each commit. */
  #shrinkHistory(): void {
    while (this.#historyBytes > this.#maxHistoryBytes / 2 && this.#compacted < this.#revision) {
      const middle = this.#head + Math.ceil((this.#log.length - this.#head) / 4);
      this.#compact((this.#log[middle - 1] as Version).revision);
    }
  }

  async revisionAt(time: number): Promise<number> {
    this.#use();
    if (time >= this.#time) return this.#revision;
    if (time < this.#compactedTime) return 0;
    let low = this.#head;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle] as Version).time > time) high = middle;
      else low = middle + 1;
    }
    return low === this.#head ? this.#compacted : (this.#log[low - 1] as Version).revision;
  }

  async stats(): Promise<StorageStats> {
    this.#use();
    const { historyMs, maxSizeBytes } = this.#options;
    if (this.#full && maxSizeBytes !== undefined && this.#sizeBytes < maxSizeBytes * 0.9) this.#full = false;
    return {
      revision: this.#revision,
      compacted: this.#compacted,
      keys: this.#live,
      sizeBytes: this.#sizeBytes,
      full: this.#full,
      ...(historyMs === undefined ? {} : { historyMs }),
    };
  }

  close(): void {
    this.#closed = true;
  }

  /** The version of a key that was live at a revision. */
  #versionAt(key: string, revision: number): (Version & { value: string }) | undefined {
    let version = this.#newest.get(key);
    while (version && version.revision > revision) version = version.older;
    return version && version.value !== null ? (version as Version & { value: string }) : undefined;
  }

  /** Where in the log the first version after a revision stands. */
  #indexAfter(revision: number): number {
    let low = this.#head;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle] as Version).revision > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #at(revision: number | undefined): number {
    if (revision === undefined) return this.#revision;
    if (revision > this.#revision) throw future(revision, this.#revision);
    if (revision < this.#compacted) throw compacted(revision, this.#compacted);
    return revision;
  }

  #use(): void {
    if (this.#closed) throw fail('ERR_STORAGE_CLOSED', 'the storage is closed');
  }
}

function startOf(prefix: string, after: string | undefined): string {
  return after === undefined || after < prefix ? prefix : `${after}\0`;
}

function sizeOf({ key, value }: Version): number {
  return VERSION_BYTES + key.length + (value?.length ?? 0);
}

function fail(code: ErrorCode, message: string, hint?: string): KubernelError {
  return new KubernelError(code, message, { subject: 'storage/memory', ...(hint ? { hint } : {}) });
}

const compacted = (revision: number, floor: number): KubernelError =>
  fail('ERR_COMPACTED', `revision ${revision} is older than the history, which starts after ${floor}`);

const future = (revision: number, newest: number): KubernelError =>
  fail('ERR_FUTURE_REVISION', `revision ${revision} is newer than the newest, ${newest}`);

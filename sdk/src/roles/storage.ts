/**
 * storage/v1: what keeps the bytes. A backend owns the revision counter, compares, makes writes durable and keeps a
 * bounded history. Values are strings that nobody below the API server parses.
 *
 * Revisions are positive integers below 2^53, strictly increasing, one for each mutation in the order of the batch.
 */

/** `expects` entry: write whatever is there. */
export const EXPECT_ANY = -1;
/** `expects` entry: the key must not exist. Any larger number: the key must stand at just that revision. */
export const EXPECT_ABSENT = 0;

/**
 * Writes as columns, because a structured clone of flat arrays is several times cheaper than one of objects.
 * All arrays have the same length.
 */
export interface WriteBatch {
  keys: string[];
  /** The new value; `null` deletes the key. */
  values: (string | null)[];
  /** EXPECT_ANY, EXPECT_ABSENT or a revision. */
  expects: number[];
}

export interface CommitResult {
  /**
   * Each write's revision when it was made (> 0). When its comparison failed, minus the key's current revision
   * (so a small negative number), or `CONFLICT_ABSENT` when the key does not exist.
   * Each write of a batch stands or falls alone; later writes of the batch see earlier ones.
   */
  revisions: number[];
}

/** `CommitResult.revisions` entry: the comparison failed because the key does not exist. */
export const CONFLICT_ABSENT = 0;

export interface StoredValue {
  key: string;
  value: string;
  /** Revision of the last write of this key. */
  revision: number;
}

/** A stretch of the log, as columns. A deleted key has value `null`, and its last value in `previous`. */
export interface EventBatch {
  revisions: number[];
  keys: string[];
  values: (string | null)[];
  /** The value this event replaced, or null when the key did not exist. */
  previous: (string | null)[];
  /** The revision of `previous`, 0 when the key did not exist. */
  previousRevisions: number[];
}

export interface ListOptions {
  prefix: string;
  /** Read as of this revision; undefined: the newest. Older than the history: ERR_COMPACTED. */
  revision?: number;
  /** Start after this key (exclusive). */
  after?: string;
  /** At most this many; undefined: all. */
  limit?: number;
}

/** One page of values in key order, as columns. */
export interface ListPage {
  keys: string[];
  values: string[];
  revisions: number[];
}

export interface StorageStats {
  /** Newest revision. */
  revision: number;
  /** Revisions at or below this one are gone: history() from here fails with ERR_COMPACTED. */
  compacted: number;
  /** Number of live keys. */
  keys: number;
  sizeBytes: number;
  /** True while growth is refused because the disk is full; deletes and reads go on. */
  full: boolean;
}

/**
 * Errors: ERR_STORAGE_FULL (growth refused, nothing of the batch was written; batches of deletes alone succeed),
 * ERR_STORAGE_CORRUPT, ERR_STORAGE_CLOSED, ERR_COMPACTED.
 */
export interface Storage {
  /** Resolves once every successful write of the batch is durable. Calls are executed in the order made. */
  commit(batch: WriteBatch): Promise<CommitResult>;
  get(key: string, revision?: number): Promise<StoredValue | null>;
  /** Batches of bounded size (about 1 MiB of values each), all read at one revision. */
  list(options: ListOptions): AsyncIterable<ListPage>;
  /** Number of live keys under a prefix, after a key: `remainingItemCount` of a paged list. */
  count(options: { prefix: string; after?: string; revision?: number }): Promise<number>;
  /** Every event with revision > from, in order, up to the newest at the time of the call. */
  history(from: number, prefix?: string): AsyncIterable<EventBatch>;
  /** Forget superseded values and deletions at or below this revision. Live values stay. */
  compact(revision: number): Promise<void>;
  /** The newest revision written at or before this time (ms since the epoch); 0 when none is known. */
  revisionAt(time: number): Promise<number>;
  stats(): Promise<StorageStats>;
  /** Writes a consistent copy to a file while writes go on. */
  backup?(file: string): Promise<void>;
  /** Backends shared by several kernels report writes of others: events after `from`, for ever. */
  watch?(from: number): AsyncIterable<EventBatch>;
}

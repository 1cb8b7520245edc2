/**
 * storage/v1: what keeps the bytes. A backend owns the revision counter, compares, makes writes durable and keeps a
 * bounded history. Values are strings that nobody below the API server parses.
 *
 * Revisions are positive integers below 2^53, strictly increasing, one for each mutation in the order of the batch.
 * Keys and values are well-formed strings; keys are ordered by their UTF-8 bytes.
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
  /** The new value; `null` deletes the key. To delete a key that does not exist is a failed comparison. */
  values: (string | null)[];
  /** EXPECT_ANY, EXPECT_ABSENT or a revision. */
  expects: number[];
  /**
   * On a full disk, put these writes into the space that is kept back for deletions: for a write that begins a deletion
   * (a deletionTimestamp, a finalizer removed). Batches of deletes alone always may.
   */
  reserve?: boolean;
}

export interface CommitResult {
  /**
   * Each write's revision when it was made (> 0). When its comparison failed, minus the key's current revision
   * (so a small negative number), or `CONFLICT_ABSENT` when the key does not exist.
   * Each write of a batch stands or falls alone; later writes of the batch see earlier ones. A crash in mid-commit
   * leaves all the successful writes of a batch, or none.
   */
  revisions: number[];
  /** The revision each write replaced, 0 when the key did not exist or the write was not made. */
  previousRevisions: number[];
}

/** `CommitResult.revisions` entry: the comparison failed because the key does not exist. */
export const CONFLICT_ABSENT = 0;

export interface StoredValue {
  key: string;
  value: string;
  /** Revision of the last write of this key. */
  revision: number;
}

/**
 * A stretch of the log, as columns. A deleted key has value `null`.
 *
 * Live events name the revision they replaced, not its value: whoever follows the log holds that value already. To read
 * 2 KB back and carry it to the kernel's thread would take 5 us of the 33 us of CPU that a grouped put takes (measured),
 * and the way on to the readers as much again. History carries both.
 */
export interface EventBatch {
  revisions: number[];
  keys: string[];
  values: (string | null)[];
  /** The revision this event replaced, 0 when the key did not exist. */
  previousRevisions: number[];
  /** The value this event replaced, null when the key did not exist. Always there in history, never on the live path. */
  previous?: (string | null)[];
}

/** Events out of the log, with the values they replaced. */
export interface HistoryBatch extends EventBatch {
  previous: (string | null)[];
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
  /** The revision that all pages of one list are read at. */
  revision: number;
  keys: string[];
  values: string[];
  revisions: number[];
}

export interface StorageStats {
  /** Newest revision. */
  revision: number;
  /** History reaches back to this revision: to read at a smaller one, or history from one, fails with ERR_COMPACTED. */
  compacted: number;
  /** Number of live keys. */
  keys: number;
  sizeBytes: number;
  /** True while growth is refused because the disk is full; deletes and reads go on. */
  full: boolean;
  /** How much history this backend is configured to keep, in milliseconds; undefined: what the kernel thinks best. */
  historyMs?: number;
  /** Other kernels write here too: their writes, and ours, are learnt from `watch`. */
  shared?: boolean;
}

/**
 * Errors: ERR_STORAGE_FULL (growth refused, nothing of the batch was written; batches of deletes alone succeed),
 * ERR_STORAGE_INVALID (a malformed call; nothing was written), ERR_COMPACTED (the revision is older than the history),
 * ERR_FUTURE_REVISION (it is newer than anything written), ERR_STORAGE_CORRUPT, ERR_STORAGE_IO, ERR_STORAGE_CLOSED.
 * Nothing was written when `commit` fails with ERR_STORAGE_FULL, ERR_STORAGE_INVALID or ERR_STORAGE_CLOSED; after any
 * other error the caller cannot know.
 */
export interface Storage {
  /** Resolves once every successful write of the batch is durable. Calls are executed in the order made. */
  commit(batch: WriteBatch): Promise<CommitResult>;
  get(key: string, revision?: number): Promise<StoredValue | null>;
  /** At least one page, of bounded size (about 1 MiB of values each), all read at one revision. */
  list(options: ListOptions): AsyncIterable<ListPage>;
  /** Number of live keys under a prefix, after a key: `remainingItemCount` of a paged list. */
  count(options: { prefix: string; after?: string; revision?: number }): Promise<number>;
  /** Every event with revision > from, in order, up to the newest at the time of the call. */
  history(from: number, prefix?: string): AsyncIterable<HistoryBatch>;
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

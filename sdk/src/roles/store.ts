import type { CommitResult, EventBatch, HistoryBatch, ListOptions, ListPage, StoredValue, WriteBatch } from './storage.ts';

/**
 * store/v1: the kernel's object store and watch bus, as the API server sees it. Provided by the kernel itself.
 *
 * A write is acknowledged when it is durable, and only then do subscribers see it. Events reach every subscriber in
 * revision order.
 */
export interface Store {
  /**
   * Compare-and-swap of many keys; writes of many callers are committed together. See storage/v1 for the result.
   * Errors beyond storage/v1's: ERR_STORE_BUSY (the queue is full; nothing was written, try again shortly),
   * ERR_STORE_UNAVAILABLE (no storage for too long; nothing was written), ERR_STORE_INTERRUPTED (the storage went away
   * in mid-commit: the batch is there as a whole or not at all, read before trying again).
   */
  commit(batch: WriteBatch): Promise<CommitResult>;
  get(key: string, revision?: number): Promise<StoredValue | null>;
  list(options: ListOptions): AsyncIterable<ListPage>;
  count(options: { prefix: string; after?: string; revision?: number }): Promise<number>;
  /** Events after `from` that are already durable, then ends. ERR_COMPACTED outside the window. */
  history(from: number, prefix?: string): AsyncIterable<HistoryBatch>;
  /**
   * Everything under a prefix at one revision, then every event after it, in one stream: no gap, nothing twice.
   * `from` resumes after that revision without the snapshot. ERR_COMPACTED when `from` is outside the window;
   * ERR_SLOW_READER when the subscriber fell behind its bound: subscribe again. Events of this stream do not carry
   * `previous`: whoever follows it holds the value already.
   *
   * A subscriber of the empty prefix is current with each event it gets. One of a narrower prefix hears of revisions
   * that are none of its business by bookmarks, at most one in a tenth of a second, so prefer one wide subscription.
   */
  subscribe(options: { prefix: string; from?: number }): AsyncIterable<StoreMessage>;
  info(): Promise<StoreInfo>;
}

export type StoreMessage =
  | { type: 'snapshot'; page: ListPage }
  /** The snapshot is complete as of this revision. */
  | { type: 'synced'; revision: number }
  | { type: 'events'; events: EventBatch }
  /** Nothing under the prefix happened up to this revision. */
  | { type: 'bookmark'; revision: number };

export interface StoreInfo {
  /** Newest durable revision. */
  revision: number;
  compacted: number;
  /**
   * A BigInt64Array of length 1 over a SharedArrayBuffer that holds the newest durable revision: an atomic load tells
   * whether a cache is current. It is stored before the write is acknowledged.
   */
  revisionCell: SharedArrayBuffer;
}

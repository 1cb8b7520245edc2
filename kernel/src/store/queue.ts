import type { CommitResult, WriteBatch } from '@kubernel/sdk';
import { storeBusy } from './errors.ts';

/** A caller's batch that waits for its turn. */
export interface Waiting {
  batch: WriteBatch;
  bytes: number;
  /** May use the space that is kept back for deletions. */
  reserve: boolean;
  /** When it came, in the clock's milliseconds. */
  since: number;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

export interface QueueLimits {
  /** Writes and bytes that may wait in all: beyond, callers get ERR_STORE_BUSY. */
  ops: number;
  bytes: number;
  /** Writes and bytes that go into one commit; a single larger batch goes alone. */
  commitOps: number;
  commitBytes: number;
}

/**
 * What waits while a commit is under way. All of it goes into the next commit, up to its bounds: the more writers there
 * are, the more of them share one fsync.
 */
export class CommitQueue {
  readonly #limits: QueueLimits;
  #waiting: Waiting[] = [];
  #ops = 0;
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** When the oldest one came; undefined when there is none. */
  get since(): number | undefined {
    return this.#waiting[0]?.since;
  }

  /** Throws ERR_STORE_BUSY when there is no room. An empty queue takes any batch. */
  push(waiting: Waiting): void {
    const ops = this.#ops + waiting.batch.keys.length;
    const bytes = this.#bytes + waiting.bytes;
    if (this.#waiting.length > 0 && (ops > this.#limits.ops || bytes > this.#limits.bytes)) throw storeBusy(this.#ops, this.#bytes);
    this.#ops = ops;
    this.#bytes = bytes;
    this.#waiting.push(waiting);
  }

  /** Takes the next commit's batches, at least one. */
  take(): Waiting[] {
    const { commitOps, commitBytes } = this.#limits;
    let ops = 0;
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && (ops + waiting.batch.keys.length > commitOps || bytes + waiting.bytes > commitBytes)) break;
      ops += waiting.batch.keys.length;
      bytes += waiting.bytes;
      count++;
    }
    this.#ops -= ops;
    this.#bytes -= bytes;
    if (count === this.#waiting.length) {
      const taken = this.#waiting;
      this.#waiting = [];
      return taken;
    }
    return this.#waiting.splice(0, count);
  }

  /** The commit did not take place: these go first again. */
  putBack(taken: readonly Waiting[]): void {
    for (const { batch, bytes } of taken) {
      this.#ops += batch.keys.length;
      this.#bytes += bytes;
    }
    this.#waiting = [...taken, ...this.#waiting];
  }

  /** Takes those that came at this time or before. */
  takeUntil(time: number): Waiting[] {
    let count = 0;
    while (count < this.#waiting.length && (this.#waiting[count] as Waiting).since <= time) count++;
    const taken = this.#waiting.splice(0, count);
    for (const { batch, bytes } of taken) {
      this.#ops -= batch.keys.length;
      this.#bytes -= bytes;
    }
    return taken;
  }
}

/** One batch out of many, in their order. */
export function join(waiting: readonly Waiting[]): WriteBatch {
  if (waiting.length === 1) return (waiting[0] as Waiting).batch;
  const joined: WriteBatch = { keys: [], values: [], expects: [] };
  let reserve = true;
  for (const { batch, reserve: may } of waiting) {
    reserve &&= may;
    for (let i = 0; i < batch.keys.length; i++) {
      joined.keys.push(batch.keys[i] as string);
      joined.values.push(batch.values[i] as string | null);
      joined.expects.push(batch.expects[i] as number);
    }
  }
  if (reserve) joined.reserve = true;
  return joined;
}

/** Gives each caller its part of the joined result. */
export function split(waiting: readonly Waiting[], result: CommitResult): void {
  if (waiting.length === 1) {
    (waiting[0] as Waiting).resolve(result);
    return;
  }
  let start = 0;
  for (const { batch, resolve } of waiting) {
    const end = start + batch.keys.length;
    resolve({ revisions: result.revisions.slice(start, end), previousRevisions: result.previousRevisions.slice(start, end) });
    start = end;
  }
}

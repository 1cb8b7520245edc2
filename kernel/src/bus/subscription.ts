import type { EventBatch, StoreMessage } from '@kubernel/sdk';
import type { Clock } from '../store/clock.ts';
import { slowReader } from '../store/errors.ts';
import type { Ring } from './ring.ts';

/** One message gathers what the reader missed up to about this much, so that catching up takes few messages. */
const MESSAGE_BYTES = 1 << 20;
const MESSAGE_EVENTS = 4096;

export interface SubscriptionOptions {
  prefix: string;
  /** Falling further behind than this many bytes ends the subscription. The ring's own bound holds in any case. */
  maxLagBytes: number;
  /** How long a reader of a prefix may not know about revisions outside it, in milliseconds. */
  bookmarkMs: number;
  clock: Clock;
  ring: Ring;
  /**
   * What comes before the ring: a snapshot, history, or nothing. Returns the revision up to which it has told
   * everything; the ring must hold all events after it.
   */
  backlog: AsyncGenerator<StoreMessage, number>;
  onEnd(subscription: Subscription): void;
}

type Result = IteratorResult<StoreMessage, undefined>;
const DONE: Result = { done: true, value: undefined };

/**
 * One reader of the bus: first its backlog, then a cursor into the ring.
 *
 * Written out by hand where a generator would be shorter, because a generator that waits cannot be told to return. One
 * `next()` may wait at a time, as async iteration does it.
 */
export class Subscription implements AsyncIterableIterator<StoreMessage, undefined> {
  readonly #options: SubscriptionOptions;
  #live = false;
  #ended = false;
  #failure: unknown;
  /** Sequence number of the batch to read next. */
  #cursor = 0;
  /** Events at or below this revision were told already, by a message or by a bookmark. */
  #told = 0;
  /** Everything up to this revision was looked at. */
  #seen = 0;
  #bookmarkAt = 0;
  #cancelBookmark: (() => void) | undefined;
  #waiting: { resolve(result: Result): void; reject(error: unknown): void } | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#failure) return Promise.reject(this.#takeFailure());
    if (this.#ended) return Promise.resolve(DONE);
    if (!this.#live) return this.#nextOfBacklog();
    const message = this.#poll();
    if (this.#failure) return Promise.reject(this.#takeFailure());
    if (message) return Promise.resolve({ done: false, value: message });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Ends a `next()` that waits, too. */
  return(): Promise<Result> {
    if (!this.#ended) {
      this.#end();
      if (!this.#live) void this.#options.backlog.return(0).catch(() => {});
      this.#waiting?.resolve(DONE);
      this.#waiting = undefined;
    }
    return Promise.resolve(DONE);
  }

  throw(error?: unknown): Promise<Result> {
    void this.return();
    return Promise.reject(error);
  }

  /** Ends the subscription with an error, which the reader gets from its next `next()`. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#end();
    if (this.#waiting) this.#waiting.reject(error);
    else this.#failure = error;
    this.#waiting = undefined;
  }

  /** The ring has more. Costs nothing unless the reader waits. */
  wake(): void {
    if (!this.#waiting) return;
    const message = this.#poll();
    const waiting = this.#waiting;
    if (this.#failure) {
      this.#waiting = undefined;
      waiting.reject(this.#takeFailure());
    } else if (message) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: message });
    }
  }

  async #nextOfBacklog(): Promise<Result> {
    try {
      const step = await this.#options.backlog.next();
      if (this.#ended) return this.#failure ? Promise.reject(this.#takeFailure()) : DONE;
      if (!step.done) return { done: false, value: step.value };
      this.#goLive(step.value);
    } catch (error) {
      if (this.#ended) return DONE;
      this.#end();
      throw error;
    }
    return this.next();
  }

  #goLive(revision: number): void {
    // The ring moved on between the backlog's last word and this line.
    if (revision < this.#options.ring.floor) throw slowReader(this.#options.prefix, Number.POSITIVE_INFINITY);
    this.#live = true;
    this.#told = revision;
    this.#seen = revision;
    this.#cursor = this.#options.ring.find(revision);
  }

  /** The next message from the ring, if it holds one for this reader; sets `#failure` when the reader was too slow. */
  #poll(): StoreMessage | undefined {
    const { ring, prefix, maxLagBytes } = this.#options;
    const lag = ring.lag(this.#cursor);
    if (lag > maxLagBytes) {
      this.#failure = slowReader(prefix, lag);
      this.#end();
      return undefined;
    }
    const gathered = new Gathered();
    for (let batch = ring.at(this.#cursor); batch && gathered.hasRoom; batch = ring.at(this.#cursor)) {
      this.#cursor++;
      const last = batch.revisions.at(-1) as number;
      gathered.add(batch, prefix, this.#told);
      if (last > this.#seen) this.#seen = last;
    }
    const events = gathered.events;
    if (events) {
      this.#told = Math.max(this.#seen, this.#told);
      this.#stopBookmark();
      return { type: 'events', events };
    }
    return this.#seen > this.#told ? this.#bookmark() : undefined;
  }

  /** A bookmark now, or a timer for it when the last one was a moment ago. */
  #bookmark(): StoreMessage | undefined {
    const { clock, bookmarkMs } = this.#options;
    const now = clock.now();
    const wait = this.#bookmarkAt + bookmarkMs - now;
    if (wait > 0 && wait <= bookmarkMs) {
      this.#cancelBookmark ??= clock.after(wait, () => {
        this.#cancelBookmark = undefined;
        this.#bookmarkAt = 0;
        this.wake();
      });
      return undefined;
    }
    this.#bookmarkAt = now;
    this.#told = this.#seen;
    return { type: 'bookmark', revision: this.#seen };
  }

  #stopBookmark(): void {
    this.#cancelBookmark?.();
    this.#cancelBookmark = undefined;
  }

  #takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  #end(): void {
    this.#ended = true;
    this.#stopBookmark();
    this.#options.onEnd(this);
  }
}

/** Batches put together into one. A reader that keeps up and wants everything gets the publisher's own batch, uncopied. */
class Gathered {
  #whole: EventBatch | undefined;
  #parts: EventBatch | undefined;
  #bytes = 0;

  get hasRoom(): boolean {
    return this.#bytes < MESSAGE_BYTES && (this.#parts ?? this.#whole ?? NOTHING).keys.length < MESSAGE_EVENTS;
  }

  get events(): EventBatch | undefined {
    return this.#parts ?? this.#whole;
  }

  /** Takes the events of a batch that are under the prefix and after a revision. */
  add(batch: EventBatch, prefix: string, after: number): void {
    const { revisions, keys } = batch;
    let wanted = keys.length;
    if (prefix !== '' || (revisions[0] as number) <= after) {
      wanted = 0;
      for (let i = 0; i < keys.length; i++) if ((revisions[i] as number) > after && (keys[i] as string).startsWith(prefix)) wanted++;
      if (wanted === 0) return;
    }
    for (const value of batch.values) this.#bytes += value?.length ?? 0;
    if (wanted === keys.length && !this.#whole && !this.#parts) {
      this.#whole = batch;
      return;
    }
    const parts = this.#open();
    for (let i = 0; i < keys.length; i++) {
      if ((revisions[i] as number) <= after || !(keys[i] as string).startsWith(prefix)) continue;
      parts.revisions.push(revisions[i] as number);
      parts.keys.push(keys[i] as string);
      parts.values.push(batch.values[i] as string | null);
      parts.previousRevisions.push(batch.previousRevisions[i] as number);
    }
  }

  #open(): EventBatch {
    if (this.#parts) return this.#parts;
    const { revisions, keys, values, previousRevisions } = this.#whole ?? NOTHING;
    this.#parts = { revisions: [...revisions], keys: [...keys], values: [...values], previousRevisions: [...previousRevisions] };
    return this.#parts;
  }
}

const NOTHING: EventBatch = { revisions: [], keys: [], values: [], previousRevisions: [] };

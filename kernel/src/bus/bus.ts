import type { EventBatch, HistoryBatch, ListPage, StoreMessage } from '@kubernel/sdk';
import { type Clock, systemClock } from '../store/clock.ts';
import { compacted, storeClosed } from '../store/errors.ts';
import { Ring } from './ring.ts';
import { Subscription } from './subscription.ts';

export interface BusOptions {
  /** How many bytes of recent events to keep for readers that are behind. Default 16 MiB. */
  ringBytes?: number;
  /** Default 100 ms: see store/v1's subscribe. */
  bookmarkMs?: number;
  clock?: Clock;
}

/** Where a reader finds what the ring no longer holds. */
export interface Backlog {
  /** Resolves when the bus has its place in a storage's log and the storage can be read. */
  ready(): Promise<void>;
  list(prefix: string, revision: number): AsyncIterable<ListPage>;
  /** Events with from < revision <= to, in order. ERR_COMPACTED when they are gone. */
  history(from: number, to: number, prefix: string): AsyncIterable<HistoryBatch>;
}

export interface SubscribeOptions {
  prefix: string;
  /** Resume after this revision, without a snapshot. */
  from?: number;
  /** A tighter bound than the ring's, in bytes. */
  maxLagBytes?: number;
}

/**
 * The watch bus: every durable event once, in revision order, to every reader at its own pace.
 *
 * The publisher never waits: it appends to the ring and wakes those who wait. A reader is a cursor into the ring, so
 * one that falls behind costs no memory, and when the ring has moved past it, it is told so (ERR_SLOW_READER). A reader
 * that starts behind the ring is led up to it through the storage's history.
 */
export class Bus {
  readonly #ring: Ring;
  readonly #bookmarkMs: number;
  readonly #clock: Clock;
  readonly #backlog: Backlog;
  readonly #subscriptions = new Set<Subscription>();
  #revision = 0;

  constructor(backlog: Backlog, options: BusOptions = {}) {
    this.#backlog = backlog;
    this.#ring = new Ring(options.ringBytes ?? 16 << 20);
    this.#bookmarkMs = options.bookmarkMs ?? 100;
    this.#clock = options.clock ?? systemClock;
  }

  /** The newest revision that was published. */
  get revision(): number {
    return this.#revision;
  }

  get subscribers(): number {
    return this.#subscriptions.size;
  }

  /** Bytes of events that are kept for readers. */
  get bytes(): number {
    return this.#ring.bytes;
  }

  /** Events must be durable, in order, and all after the last published revision. The batch belongs to the bus from now on. */
  publish(batch: EventBatch): void {
    if (batch.revisions.length === 0) return;
    this.#ring.push(batch);
    this.#revision = batch.revisions.at(-1) as number;
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  /**
   * Starts at this revision. When events between the last published one and this are lost for good, all readers are
   * ended with ERR_COMPACTED.
   */
  reset(revision: number): void {
    if (this.#revision > 0 && revision !== this.#revision) this.#failAll(compacted(this.#revision, revision));
    this.#revision = revision;
    this.#ring.reset(revision);
  }

  subscribe(options: SubscribeOptions): Subscription {
    const { prefix, from } = options;
    const subscription: Subscription = new Subscription({
      prefix,
      maxLagBytes: options.maxLagBytes ?? Number.MAX_VALUE,
      bookmarkMs: this.#bookmarkMs,
      clock: this.#clock,
      ring: this.#ring,
      backlog: from === undefined ? this.#snapshot(prefix) : this.#catchUp(prefix, from),
      onEnd: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  close(): void {
    this.#failAll(storeClosed());
  }

  async *#snapshot(prefix: string): AsyncGenerator<StoreMessage, number> {
    await this.#backlog.ready();
    const revision = this.#revision;
    for await (const page of this.#backlog.list(prefix, revision)) yield { type: 'snapshot', page };
    yield { type: 'synced', revision };
    return yield* this.#catchUp(prefix, revision);
  }

  /** Leads a reader from `from` up to where the ring holds everything after it. */
  async *#catchUp(prefix: string, from: number): AsyncGenerator<StoreMessage, number> {
    await this.#backlog.ready();
    let position = from;
    while (position < this.#ring.floor) {
      const to = this.#revision;
      for await (const { revisions, keys, values, previousRevisions } of this.#backlog.history(position, to, prefix)) {
        yield { type: 'events', events: { revisions, keys, values, previousRevisions } };
      }
      position = to;
      if (prefix !== '') yield { type: 'bookmark', revision: to };
    }
    return position;
  }

  #failAll(error: unknown): void {
    for (const subscription of [...this.#subscriptions]) subscription.fail(error);
  }
}

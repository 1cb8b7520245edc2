import type {
  CommitResult,
  HistoryBatch,
  ListOptions,
  ListPage,
  Logger,
  Storage,
  StoredValue,
  StoreInfo,
  Store as StoreRole,
  WriteBatch,
} from '@kubernel/sdk';
import { isCode, KubernelError } from '@kubernel/sdk';
import { Bus, type BusOptions, type SubscribeOptions } from '../bus/bus.ts';
import type { Subscription } from '../bus/subscription.ts';
import { eventsOf, upTo, weigh } from './batch.ts';
import { type Clock, systemClock } from './clock.ts';
import { Compactor } from './compactor.ts';
import { storageBehind, storeClosed, storeInterrupted, storeUnavailable } from './errors.ts';
import { CommitQueue, join, type QueueLimits, split, type Waiting } from './queue.ts';

export interface StoreOptions {
  clock?: Clock;
  bus?: BusOptions;
  /** Bounds of the queue and of one commit. Default: 16,384 writes and 64 MiB waiting, 1,024 writes and 4 MiB a commit. */
  queue?: Partial<QueueLimits>;
  /** How far history reaches back, in milliseconds, unless the storage is configured otherwise. Default: five minutes. */
  historyMs?: number;
  /** How often history is compacted, in milliseconds. Default: 30,000. */
  compactEveryMs?: number;
  /** How long calls wait for a storage that is away (restarted, swapped), in milliseconds. Default: 10,000. */
  holdMs?: number;
  log?: Logger;
  /** Called when the store starts or stops being able to write: why it cannot, or undefined. */
  onHealth?(reason: string | undefined): void;
}

/** `recovering`: a commit's outcome is unknown, so all wait until the storage answers what became of it. */
type State = 'detached' | 'attached' | 'recovering' | 'closed';

/** Errors of a commit that never reached a storage: it may be made again. */
const NOT_WRITTEN = new Set<unknown>(['ERR_ROLE_UNAVAILABLE', 'ERR_STORAGE_CLOSED']);

/**
 * The object store, store/v1 over any storage/v1. A write's way, in this file from top to bottom:
 *
 *     commit -> queue -> (the commit before it ends) -> storage.commit -> revision cell -> bus -> acknowledgement
 *
 * At most one commit is under way, and what comes meanwhile is joined into the next. Nobody learns of a write before
 * the storage says that it is durable. When the storage goes away in mid-commit, that batch's callers are told that
 * its outcome is open, and before anything else is written the storage's own log is read to the bus: should the batch
 * have become durable, watchers see it, and in its place in the order.
 */
export class Store implements StoreRole {
  readonly #clock: Clock;
  readonly #queue: CommitQueue;
  readonly #bus: Bus;
  readonly #compactor: Compactor;
  readonly #holdMs: number;
  readonly #log: Logger | undefined;
  readonly #onHealth: (reason: string | undefined) => void;
  readonly #revisionCell = new SharedArrayBuffer(8);
  readonly #cell = new BigInt64Array(this.#revisionCell);
  #storage: Storage | undefined;
  #state: State = 'detached';
  /** Writes wait, whatever the state. */
  #paused = false;
  /** A storage was attached once, so the bus has a place in its log. */
  #started = false;
  /** Counts attachments, so that what an earlier storage still has to say is not taken for the present one's word. */
  #incarnation = 0;
  #shared = false;
  #full = false;
  #compacted = 0;
  #committing: Promise<void> | undefined;
  #cancelHold: (() => void) | undefined;
  /** Reads that wait for a storage. */
  #awaiting: { resolve(storage: Storage): void; reject(error: unknown): void }[] = [];
  #reason: string | undefined;

  constructor(options: StoreOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#holdMs = options.holdMs ?? 10_000;
    this.#log = options.log;
    this.#onHealth = options.onHealth ?? (() => {});
    this.#queue = new CommitQueue({ ops: 16_384, bytes: 64 << 20, commitOps: 1024, commitBytes: 4 << 20, ...options.queue });
    this.#bus = new Bus(
      {
        ready: async () => void (await this.#ready()),
        list: (prefix, revision) => this.list({ prefix, revision }),
        history: (from, to, prefix) => this.#history(from, to, prefix),
      },
      { clock: this.#clock, ...options.bus },
    );
    this.#compactor = new Compactor({
      historyMs: options.historyMs ?? 300_000,
      intervalMs: options.compactEveryMs ?? 30_000,
      clock: this.#clock,
      storage: () => (this.#state === 'attached' ? this.#storage : undefined),
      onStats: ({ full }) => this.#nowFull(full),
      onCompacted: (revision) => (this.#compacted = Math.max(this.#compacted, revision)),
      onError: (error) => this.#log?.warn('history was not compacted', { error: messageOf(error) }),
    });
  }

  // ------------------------------------------------------------------------------------------------------ writing

  /** The batch belongs to the store from now on: its arrays become the events that watchers get. */
  commit(batch: WriteBatch): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'closed') throw storeClosed();
      const bytes = weigh(batch);
      if (batch.keys.length === 0) return resolve({ revisions: [], previousRevisions: [] });
      const reserve = batch.reserve === true || batch.values.every((value) => value === null);
      this.#queue.push({ batch, bytes, reserve, since: this.#clock.now(), resolve, reject });
      this.#pump();
    });
  }

  /** Commits until the queue is empty or must wait. */
  #pump(): void {
    if (this.#committing || this.#queue.length === 0) return;
    if (this.#state !== 'attached' || this.#paused) return this.#hold();
    this.#committing = this.#commitNext(this.#storage as Storage).finally(() => {
      this.#committing = undefined;
      this.#pump();
    });
  }

  async #commitNext(storage: Storage): Promise<void> {
    const taken = this.#queue.take();
    const batch = join(taken);
    try {
      const result = await storage.commit(batch);
      this.#announce(batch, result);
      split(taken, result);
      if (this.#full && taken.some(({ reserve }) => !reserve)) this.#nowFull(false);
    } catch (error) {
      await this.#refuse(taken, error, storage);
    }
  }

  /** A commit is durable: the cell first, so that whoever is acknowledged finds it there; then the watchers. */
  #announce(batch: WriteBatch, result: CommitResult): void {
    const events = eventsOf(batch, result);
    const newest = events.revisions.at(-1);
    if (newest === undefined) return;
    const first = events.revisions[0] as number;
    if (!this.#shared && first <= this.#bus.revision) throw this.#diverged(first);
    this.#advance(newest);
    if (!this.#shared) this.#bus.publish(events);
  }

  /** The storage hands out revisions that were acknowledged before: this is other data, and nothing more goes to it. */
  #diverged(found: number): Error {
    const error = storageBehind(found - 1, this.#bus.revision);
    this.#incarnation++;
    this.#state = 'detached';
    this.#health(error.message);
    return error;
  }

  #advance(revision: number): void {
    if (revision > Number(this.#cell[0])) Atomics.store(this.#cell, 0, BigInt(revision));
  }

  async #refuse(taken: Waiting[], error: unknown, storage: Storage): Promise<void> {
    if (isCode(error, 'ERR_STORAGE_FULL')) return this.#refuseFull(taken, error, storage);
    if (isCode(error, 'ERR_STORAGE_INVALID')) {
      for (const { reject } of taken) reject(error);
      return;
    }
    if (NOT_WRITTEN.has((error as { code?: unknown } | null)?.code)) this.#queue.putBack(taken);
    else {
      const interrupted = storeInterrupted(error);
      for (const { reject } of taken) reject(interrupted);
    }
    // Somebody may have attached another storage meanwhile; then this one's fate is no longer of interest.
    if (this.#storage === storage && this.#state === 'attached') this.#recover(storage, messageOf(error));
  }

  /** Refuses growth; those of the batch that may use the reserve get a second try, by themselves. */
  async #refuseFull(taken: Waiting[], error: unknown, storage: Storage): Promise<void> {
    this.#nowFull(true);
    this.#compactor.makeRoom();
    const reserved = taken.filter(({ reserve }) => reserve);
    for (const { reserve, reject } of taken) if (!reserve || reserved.length === taken.length) reject(error);
    if (reserved.length === 0 || reserved.length === taken.length) return;
    const batch = join(reserved);
    try {
      const result = await storage.commit(batch);
      this.#announce(batch, result);
      split(reserved, result);
    } catch (again) {
      await this.#refuse(reserved, again, storage);
    }
  }

  // ------------------------------------------------------------------------------------------------------ reading

  async get(key: string, revision?: number): Promise<StoredValue | null> {
    return (await this.#ready()).get(key, revision);
  }

  async *list(options: ListOptions): AsyncGenerator<ListPage, void> {
    yield* (await this.#ready()).list(options);
  }

  async count(options: { prefix: string; after?: string; revision?: number }): Promise<number> {
    return (await this.#ready()).count(options);
  }

  history(from: number, prefix = ''): AsyncIterable<HistoryBatch> {
    return this.#history(from, this.#bus.revision, prefix);
  }

  /** Messages are shared among subscribers: they must not be changed. */
  subscribe(options: SubscribeOptions): Subscription {
    if (this.#state === 'closed') throw storeClosed();
    return this.#bus.subscribe(options);
  }

  async info(): Promise<StoreInfo> {
    await this.#ready();
    return { revision: Number(Atomics.load(this.#cell, 0)), compacted: this.#compacted, revisionCell: this.#revisionCell };
  }

  /** The contract alone. This is what is served to plugins: over RPC, every method of an object can be called. */
  get role(): StoreRole {
    return {
      commit: (batch) => this.commit(batch),
      get: (key, revision) => this.get(key, revision),
      list: (options) => this.list(options),
      count: (options) => this.count(options),
      history: (from, prefix) => this.history(from, prefix),
      subscribe: ({ prefix, from }) => this.subscribe({ prefix, ...(from === undefined ? {} : { from }) }),
      info: () => this.info(),
    };
  }

  /** Writes a consistent copy of the data to a file, when the storage can. */
  async backup(file: string): Promise<void> {
    const storage = await this.#ready();
    try {
      if (!storage.backup) throw new KubernelError('ERR_NO_SUCH_METHOD', 'no backup');
      await storage.backup(file);
    } catch (error) {
      if (!isCode(error, 'ERR_NO_SUCH_METHOD')) throw error;
      throw new KubernelError('ERR_BACKUP_UNSUPPORTED', 'this storage cannot copy itself to a file', {
        subject: 'store',
        hint: 'use its own tools',
      });
    }
  }

  /** Forgets history up to what was newest `historyMs` ago: what the compaction loop does by itself every so often. */
  compact(historyMs?: number): Promise<void> {
    return this.#compactor.run(historyMs);
  }

  /** For metrics and `kubernel status`. */
  get gauges(): { revision: number; subscribers: number; busBytes: number; waiting: number; full: boolean } {
    return {
      revision: this.#bus.revision,
      subscribers: this.#bus.subscribers,
      busBytes: this.#bus.bytes,
      waiting: this.#queue.length,
      full: this.#full,
    };
  }

  /** Why writes do not go through, or undefined when they do. */
  get unhealthy(): string | undefined {
    return this.#reason;
  }

  async *#history(from: number, to: number, prefix: string): AsyncGenerator<HistoryBatch, void> {
    const storage = await this.#ready();
    yield* upTo(prefix === '' ? storage.history(from) : storage.history(from, prefix), to);
  }

  /** The storage, once there is one to ask. */
  #ready(): Promise<Storage> | Storage {
    if (this.#state === 'attached') return this.#storage as Storage;
    if (this.#state === 'closed') throw storeClosed();
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.#holdMs, () => {
        this.#awaiting = this.#awaiting.filter((one) => one !== entry);
        reject(storeUnavailable(this.#holdMs));
      });
      const entry = {
        resolve: (storage: Storage) => (cancel(), resolve(storage)),
        reject: (error: unknown) => (cancel(), reject(error)),
      };
      this.#awaiting.push(entry);
    });
  }

  // ------------------------------------------------------------------------------------------------------ the storage

  /**
   * Takes a storage into use, the first one or another with the same data, and ends a pause. Whatever its log holds
   * beyond the last published revision is published first. When that fails (ERR_STORAGE_BEHIND: it lacks what was
   * acknowledged), all stays as it was.
   */
  async attach(storage: Storage): Promise<void> {
    const before = { state: this.#state, paused: this.#paused, storage: this.#storage };
    await this.pause();
    if (this.#state === 'closed') throw storeClosed();
    const incarnation = ++this.#incarnation;
    this.#state = 'detached';
    try {
      await this.#catchUp(storage, incarnation);
      if (incarnation !== this.#incarnation) throw storeUnavailable(0);
    } catch (error) {
      if (incarnation === this.#incarnation) {
        this.#paused = before.paused;
        if (before.state === 'attached') this.#open(before.storage as Storage, incarnation);
        else if (before.state === 'recovering') this.#recover(before.storage as Storage, messageOf(error));
      }
      throw error;
    }
    this.#paused = false;
    this.#open(storage, incarnation);
  }

  /** Holds writes back (up to the queue's bounds and the hold time) and resolves when none is under way. Reads go on. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#committing;
  }

  /** Ends a pause. */
  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** Lets go of the storage; reads and writes wait for the next `attach`. */
  async detach(): Promise<void> {
    await this.pause();
    if (this.#state === 'closed') return;
    this.#incarnation++;
    this.#state = 'detached';
    this.#storage = undefined;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#compactor.stop();
    await this.pause();
    this.#state = 'closed';
    this.#incarnation++;
    this.#cancelHold?.();
    for (const { reject } of this.#queue.takeUntil(Number.POSITIVE_INFINITY)) reject(storeClosed());
    for (const { reject } of this.#awaiting.splice(0)) reject(storeClosed());
    this.#bus.close();
  }

  #open(storage: Storage, incarnation: number): void {
    this.#storage = storage;
    this.#state = 'attached';
    this.#health(this.#full ? 'the disk is full' : undefined);
    if (this.#shared) void this.#follow(storage, incarnation);
    for (const { resolve } of this.#awaiting.splice(0)) resolve(storage);
    this.#pump();
  }

  /** Publishes what the storage's log holds and the bus does not. */
  async #catchUp(storage: Storage, incarnation: number): Promise<void> {
    const stats = await storage.stats();
    const known = this.#bus.revision;
    if (stats.revision < known) throw storageBehind(stats.revision, known);
    this.#shared = stats.shared === true;
    this.#compacted = stats.compacted;
    if (!this.#started || stats.compacted > known) this.#bus.reset(stats.revision);
    else if (stats.revision > known) {
      for await (const { revisions, keys, values, previousRevisions } of upTo(storage.history(known), stats.revision)) {
        if (incarnation !== this.#incarnation) return;
        this.#advance(revisions.at(-1) as number);
        this.#bus.publish({ revisions, keys, values, previousRevisions });
      }
    }
    this.#started = true;
    this.#advance(stats.revision);
  }

  /** Asks the storage, again and again, what it holds, until it answers or another one is attached. */
  #recover(storage: Storage, reason: string): void {
    const incarnation = ++this.#incarnation;
    this.#state = 'recovering';
    this.#log?.warn('the storage went away in mid-commit', { reason });
    this.#health(`the storage does not answer: ${reason}`);
    let waitMs = 10;
    const attempt = async (): Promise<void> => {
      if (incarnation !== this.#incarnation) return;
      try {
        await this.#catchUp(storage, incarnation);
        if (incarnation === this.#incarnation) this.#open(storage, incarnation);
      } catch (error) {
        this.#health(`the storage does not answer: ${messageOf(error)}`);
        waitMs = Math.min(waitMs * 2, 1000);
        this.#clock.after(waitMs, () => void attempt());
      }
    };
    void attempt();
  }

  /** Feeds the bus from a storage that other kernels write to as well. */
  async #follow(storage: Storage, incarnation: number): Promise<void> {
    try {
      if (!storage.watch) throw new KubernelError('ERR_NO_SUCH_METHOD', 'a shared storage must have watch()');
      for await (const events of storage.watch(this.#bus.revision)) {
        if (incarnation !== this.#incarnation) return;
        const newest = events.revisions.at(-1);
        if (newest === undefined || newest <= this.#bus.revision) continue;
        this.#advance(newest);
        this.#bus.publish(events);
      }
      throw new KubernelError('ERR_STORAGE_CLOSED', 'the watch of the storage ended');
    } catch (error) {
      if (incarnation === this.#incarnation && this.#state === 'attached') this.#recover(storage, messageOf(error));
    }
  }

  /** Writers have waited for the storage long enough: they are told, and new ones wait anew. */
  #hold(): void {
    if (this.#cancelHold || this.#queue.since === undefined) return;
    const wait = Math.max(this.#queue.since + this.#holdMs - this.#clock.now(), 1);
    this.#cancelHold = this.#clock.after(wait, () => {
      this.#cancelHold = undefined;
      if (this.#state === 'attached' && !this.#paused) return;
      for (const { reject } of this.#queue.takeUntil(this.#clock.now() - this.#holdMs)) reject(storeUnavailable(this.#holdMs));
      this.#hold();
    });
  }

  #nowFull(full: boolean): void {
    if (this.#full === full) return;
    this.#full = full;
    this.#log?.warn(full ? 'the disk is full: growth is refused, deletes go on' : 'there is room on the disk again');
    this.#health(full ? 'the disk is full' : undefined);
  }

  #health(reason: string | undefined): void {
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#onHealth(reason);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { chmodSync, renameSync, rmSync } from 'node:fs';
import { backup, type DatabaseSync } from 'node:sqlite';
import {
  CONFLICT_ABSENT,
  type CommitResult,
  EXPECT_ABSENT,
  EXPECT_ANY,
  type HistoryBatch,
  type ListOptions,
  type ListPage,
  type Storage,
  type StorageStats,
  type StoredValue,
  type WriteBatch,
} from '@kubernel/sdk';
import { Checkpointer } from './checkpointer.ts';
import { closed, compacted, full, future, invalid, isBroken, isFull, translate } from './errors.ts';
import { openDatabase, PAGE_BYTES, pragma } from './open.ts';
import { historyPage, listPage } from './pages.ts';
import { keyRange } from './range.ts';
import { Reserve } from './reserve.ts';
import { prepareStatements, type Statements } from './statements.ts';

export interface SqliteOptions {
  file: string;
  /** See config.schema.json. */
  historyMs?: number;
  maxSizeBytes?: number;
  /** Default 16 MiB. */
  reserveBytes?: number;
  /** Default 8 MiB. */
  cacheBytes?: number;
  /** Default `auto`. */
  integrityCheck?: 'auto' | 'always' | 'never';
  /** Milliseconds since the epoch; default Date.now. */
  now?: () => number;
  /** Called when growth begins or ceases to be refused. */
  onFull?(full: boolean): void;
}

/** Rows that one compaction step looks at: 2-5 ms of work between two commits. */
const STEP_ROWS = 256;
/** Upkeep rests for this many times as long as it worked, so that writers have two thirds of the thread to themselves. */
const REST = 2;
/** Free pages that may stay in the file for reuse, beside a tenth of it; more are given back to the filesystem. */
const SPARE_PAGES = 512;
const VACUUM_PAGES = 128;
/** Default of reserveBytes. */
const RESERVE_BYTES = 16 << 20;
/** While the disk is full, how often to try whether it still is. */
const RETRY_MS = 250;

/** storage/v1 on one SQLite file. Calls run to completion one after the other, on the thread they are made on. */
export class SqliteStorage implements Storage {
  readonly #options: SqliteOptions;
  readonly #file: string;
  readonly #now: () => number;
  readonly #reserve: Reserve;
  #db!: DatabaseSync;
  #sql!: Statements;
  #checkpointer!: Checkpointer;
  #revision = 0;
  #compacted = 0;
  #compactedTime = 0;
  /** Time of the newest row; times never go back, so that revisionAt can search. */
  #time = 0;
  /** Live keys; counted when first asked for. */
  #keys: number | undefined;
  #full = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** The database must be opened anew before it is used: only the file knows what the last commit came to. */
  #broken = false;
  #closed = false;
  #compacting: Promise<void> = Promise.resolve();

  /** Opens the file, or throws: ERR_STORAGE_LOCKED, _CORRUPT, _FOREIGN, _SCHEMA_NEWER, _IO. */
  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#file = options.file;
    this.#now = options.now ?? Date.now;
    this.#open();
    this.#reserve = new Reserve(`${this.#file}.reserve`, options.reserveBytes ?? RESERVE_BYTES, () => this.#nowFull(true));
  }

  // ------------------------------------------------------------------------------------------------------ writing

  async commit(batch: WriteBatch): Promise<CommitResult> {
    const db = this.#use();
    checkColumns(batch);
    const growth = batch.reserve !== true && batch.values.some((value) => value !== null);
    if (growth && this.#full && !this.#retry()) throw full(this.#file);
    try {
      const result = this.#transact(batch);
      if (growth && this.#full) this.#nowFull(false);
      return result;
    } catch (error) {
      this.#rollBack(db, error);
      if (!isFull(error)) throw translate(error, this.#file);
      this.#nowFull(true);
      if (growth) throw full(this.#file, error);
      return this.#transactInReserve(batch);
    }
  }

  /** One transaction: compare and write each, then one fsync for all. */
  #transact({ keys, values, expects }: WriteBatch): CommitResult {
    const { begin, commit, current, insert } = this.#sql;
    const revisions: number[] = new Array(keys.length);
    const previousRevisions: number[] = new Array(keys.length);
    const time = Math.max(this.#time, this.#now());
    let revision = this.#revision;
    let grown = 0;
    begin.run();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const value = values[i] as string | null;
      const expect = expects[i] as number;
      const version = current.get(key) as unknown as [number, number] | undefined;
      const found = version?.[1] ? version[0] : 0;
      previousRevisions[i] = 0;
      if ((expect === EXPECT_ANY || expect === found) && (value !== null || found !== 0)) {
        insert.run(++revision, key, value === null ? 0 : 1, found, time, value);
        revisions[i] = revision;
        previousRevisions[i] = found;
        if (value === null) grown--;
        else if (found === 0) grown++;
      } else {
        revisions[i] = found === EXPECT_ABSENT ? CONFLICT_ABSENT : -found;
      }
    }
    commit.run();
    // Only now: before the commit returned, none of this is true.
    this.#revision = revision;
    this.#time = time;
    if (this.#keys !== undefined) this.#keys += grown;
    this.#checkpointer.afterCommit(keys.length);
    this.#reserve.goOn();
    return { revisions, previousRevisions };
  }

  /** The disk is full, but this may use what is kept back: first more pages of the quota, then the reserve file. */
  #transactInReserve(batch: WriteBatch): CommitResult {
    const db = this.#db;
    this.#limitPages(this.#reserve.bytes);
    try {
      try {
        return this.#transact(batch);
      } catch (error) {
        this.#rollBack(db, error);
        if (!isFull(error) || !this.#reserve.release()) throw translate(error, this.#file);
        // Carried over into the database, the write-ahead log starts again from its beginning instead of growing.
        this.#checkpointer.run();
        return this.#transact(batch);
      }
    } catch (error) {
      this.#rollBack(db, error);
      throw translate(error, this.#file);
    } finally {
      if (!this.#broken) {
        this.#checkpointer.run();
        this.#limitPages(0);
      }
    }
  }

  #rollBack(db: DatabaseSync, error: unknown): void {
    this.#broken ||= isBroken(error);
    if (this.#broken || !db.isTransaction) return;
    try {
      this.#sql.rollback.run();
    } catch {
      this.#broken = true;
    }
  }

  /** Is the disk still full? True when growth is worth a try. */
  #retry(): boolean {
    const now = this.#now();
    if (now >= this.#triedAt && now - this.#triedAt < RETRY_MS) return false;
    this.#triedAt = now;
    return this.#reserve.restore() && this.#checkpointer.run();
  }

  /** What was acknowledged is safe in the write-ahead log, but that must not grow on and on. */
  #checkpointFailed(error: unknown): void {
    if (isBroken(error)) this.#broken = true;
    else if (isFull(error)) this.#nowFull(true);
  }

  #nowFull(isFullNow: boolean): void {
    if (this.#full === isFullNow) return;
    this.#full = isFullNow;
    this.#triedAt = this.#now();
    this.#options.onFull?.(isFullNow);
  }

  /** The quota, as SQLite's own limit of the database's pages. */
  #limitPages(beyondBytes: number): void {
    const { maxSizeBytes } = this.#options;
    if (maxSizeBytes !== undefined) this.#db.exec(`PRAGMA max_page_count = ${Math.ceil((maxSizeBytes + beyondBytes) / PAGE_BYTES)}`);
  }

  // ------------------------------------------------------------------------------------------------------ reading

  async get(key: string, revision?: number): Promise<StoredValue | null> {
    this.#use();
    const row = this.#sql.get.get(key, this.#at(revision)) as unknown as [number, string | null] | undefined;
    return row && row[1] !== null ? { key, revision: row[0], value: row[1] } : null;
  }

  async *list({ prefix, revision, after, limit }: ListOptions): AsyncGenerator<ListPage, void> {
    this.#use();
    const at = this.#at(revision);
    const { from, to } = keyRange(prefix, after);
    let left = limit ?? Number.POSITIVE_INFINITY;
    let start = from;
    for (;;) {
      // A compaction, or a reopening, may have come between two pages.
      this.#use();
      this.#at(at);
      const { page, more } = listPage(this.#sql, start, to, at, left);
      yield page;
      left -= page.keys.length;
      if (!more || left <= 0) return;
      start = `${page.keys.at(-1) as string}\0`;
    }
  }

  async count({ prefix, after, revision }: { prefix: string; after?: string; revision?: number }): Promise<number> {
    this.#use();
    const { from, to } = keyRange(prefix, after);
    return (this.#sql.count.get(from, to, this.#at(revision)) as unknown as [number])[0];
  }

  async *history(from: number, prefix = ''): AsyncGenerator<HistoryBatch, void> {
    this.#use();
    const newest = this.#revision;
    const range = keyRange(prefix);
    for (let position = from; position < newest; ) {
      this.#use();
      if (position < this.#compacted) throw compacted(position, this.#compacted);
      const { batch, reached } = historyPage(this.#sql, position, newest, range);
      position = reached;
      if (batch.revisions.length > 0) yield batch;
      // Nothing for this reader in a long stretch of the log: the commits that wait go first.
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The revision to read at: the newest when none is given. */
  #at(revision: number | undefined): number {
    if (revision === undefined) return this.#revision;
    if (revision > this.#revision) throw future(revision, this.#revision);
    if (revision < this.#compacted) throw compacted(revision, this.#compacted);
    return revision;
  }

  // ------------------------------------------------------------------------------------------------------ upkeep

  compact(revision: number): Promise<void> {
    this.#use();
    if (revision > this.#revision) return Promise.reject(future(revision, this.#revision));
    const run = this.#compacting.then(() => this.#compact(revision));
    this.#compacting = run.catch(() => {});
    return run;
  }

  /** In steps, each its own small transaction, with a turn of the event loop between them for the commits that wait. */
  async #compact(target: number): Promise<void> {
    while (this.#compacted < target) {
      const db = this.#use();
      const start = performance.now();
      if (this.#full) this.#limitPages(this.#reserve.bytes);
      try {
        this.#compactStep(target);
      } catch (error) {
        this.#rollBack(db, error);
        if (!isFull(error) || !this.#reserve.release()) throw translate(error, this.#file);
        this.#nowFull(true);
        this.#checkpointer.run();
      }
      await this.#rest(start);
    }
    await this.#shrink();
  }

  /** After a step of upkeep that began then. On a full disk there is nothing to wait for. */
  #rest(start: number): Promise<void> {
    const rest = (performance.now() - start) * REST;
    return new Promise((resolve) => void (this.#full || rest < 1 ? setImmediate(resolve) : setTimeout(resolve, rest)));
  }

  /** Each row says what it replaced, so what to forget is read off the log in its order: nothing is searched. */
  #compactStep(target: number): void {
    const { begin, commit, step, forget, setMeta } = this.#sql;
    const rows = step.all(this.#compacted, target, STEP_ROWS) as unknown as [number, number, number, number][];
    const reached = rows.length < STEP_ROWS ? target : (rows.at(-1) as [number, number, number, number])[0];
    const time = Math.max(this.#compactedTime, rows.at(-1)?.[3] ?? 0);
    begin.run();
    for (const [revision, previous, live] of rows) {
      if (previous !== 0) forget.run(previous);
      if (live === 0) forget.run(revision);
    }
    setMeta.run(reached, 'compacted');
    setMeta.run(time, 'compacted_time');
    commit.run();
    this.#compacted = reached;
    this.#compactedTime = time;
    this.#checkpointer.afterCommit(rows.length);
  }

  /** Gives free pages back to the filesystem when there are many, or the disk is full. */
  async #shrink(): Promise<void> {
    const spare = this.#full ? 0 : Math.max(SPARE_PAGES, pragma(this.#use(), 'page_count') / 10);
    for (let free = pragma(this.#db, 'freelist_count'); free > spare; free = pragma(this.#use(), 'freelist_count')) {
      const start = performance.now();
      this.#db.exec(`PRAGMA incremental_vacuum(${Math.min(VACUUM_PAGES, Math.ceil(free - spare))})`);
      this.#checkpointer.afterCommit(VACUUM_PAGES);
      await this.#rest(start);
    }
    if (this.#full) this.#checkpointer.run();
  }

  async revisionAt(time: number): Promise<number> {
    this.#use();
    if (time >= this.#time) return this.#revision;
    if (time < this.#compactedTime) return 0;
    // Times never decrease along the log: the first revision that is later, less one.
    let low = this.#compacted + 1;
    let high = this.#revision;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#sql.rowAfter.get(middle) as unknown as [number, number] | undefined;
      if (row === undefined || row[1] > time) high = middle;
      else low = row[0] + 1;
    }
    return low - 1;
  }

  async stats(): Promise<StorageStats> {
    const db = this.#use();
    if (this.#full && this.#options.maxSizeBytes === undefined && this.#retry() && this.#reserve.spare) this.#nowFull(false);
    this.#keys ??= (this.#sql.keys.get() as unknown as [number])[0];
    const { historyMs } = this.#options;
    return {
      revision: this.#revision,
      compacted: this.#compacted,
      keys: this.#keys,
      sizeBytes: (pragma(db, 'page_count') - pragma(db, 'freelist_count')) * PAGE_BYTES,
      full: this.#full,
      ...(historyMs === undefined ? {} : { historyMs }),
    };
  }

  async backup(file: string): Promise<void> {
    const partial = `${file}.partial`;
    try {
      await backup(this.#use(), partial, { rate: 256 });
      chmodSync(partial, 0o600);
      renameSync(partial, file);
    } catch (error) {
      rmSync(partial, { force: true });
      throw translate(error, file);
    }
  }

  /** Carries the write-ahead log over and closes the file; later calls fail with ERR_STORAGE_CLOSED. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#checkpointer.stop();
    this.#reserve.close();
    this.#db.close();
  }

  /** The database, opened anew if it has to be. */
  #use(): DatabaseSync {
    if (this.#closed) throw closed(this.#file);
    if (this.#broken) {
      this.#checkpointer.stop();
      if (this.#db.isOpen) this.#db.close();
      this.#open();
      this.#broken = false;
    }
    return this.#db;
  }

  #open(): void {
    const { cacheBytes = 8 << 20, integrityCheck = 'auto', reserveBytes = RESERVE_BYTES } = this.#options;
    this.#db = openDatabase({ file: this.#file, cacheBytes, integrityCheck });
    this.#sql = prepareStatements(this.#db);
    // What the log holds beyond the database may need as much space again: half of the reserve, the rest is for deletes.
    const mostPages = Math.min(Math.max(reserveBytes / 2 / PAGE_BYTES, 100), 1000);
    this.#checkpointer = new Checkpointer(this.#db, mostPages, (error) => this.#checkpointFailed(error));
    this.#limitPages(0);
    const meta = (name: string): number => (this.#sql.meta.get(name) as unknown as [number])[0];
    const newest = this.#sql.newest.get() as unknown as [number, number] | undefined;
    this.#compacted = meta('compacted');
    this.#compactedTime = meta('compacted_time');
    // The newest row may have been a deletion that compaction took; never below what was compacted.
    this.#revision = Math.max(newest?.[0] ?? 0, this.#compacted);
    this.#time = Math.max(newest?.[1] ?? 0, this.#compactedTime);
    this.#keys = undefined;
  }
}

function checkColumns({ keys, values, expects }: WriteBatch): void {
  if (keys.length !== values.length || keys.length !== expects.length) {
    throw invalid(`columns differ in length: ${keys.length} keys, ${values.length} values, ${expects.length} expects`);
  }
}

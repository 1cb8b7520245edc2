import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Pages in the write-ahead log that make a checkpoint worth its fsync. */
const WAL_PAGES = 1000;
/** Looking at the log's length is cheap, but not free: once in so many commits. */
const LOOK_EVERY = 8;

/**
 * Carries the write-ahead log over into the database, after a commit was acknowledged and not, as SQLite would by
 * itself, before.
 */
export class Checkpointer {
  readonly #look: StatementSync;
  readonly #passive: StatementSync;
  #commits = 0;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(db: DatabaseSync) {
    this.#look = db.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    for (const statement of [this.#look, this.#passive]) statement.setReturnArrays(true);
  }

  afterCommit(): void {
    if (++this.#commits % LOOK_EVERY !== 0 || this.#scheduled) return;
    const [, pages, done] = this.#look.get() as unknown as [number, number, number];
    if (pages - done < WAL_PAGES) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.run();
    });
  }

  /** False when it could not, for want of space; the log then grows until it can. */
  run(): boolean {
    try {
      this.#passive.get();
      return true;
    } catch {
      return false;
    }
  }

  stop(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
  }
}

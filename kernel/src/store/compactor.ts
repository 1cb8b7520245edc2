import type { Storage, StorageStats } from '@kubernel/sdk';
import type { Clock } from './clock.ts';

export interface CompactorOptions {
  /** How far history reaches back, in milliseconds; the storage's own `historyMs` comes first. */
  historyMs: number;
  /** How often to look, in milliseconds. */
  intervalMs: number;
  clock: Clock;
  /** The storage to compact, or undefined while there is none. */
  storage(): Storage | undefined;
  /** What the storage said of itself, each time it is asked. */
  onStats(stats: StorageStats): void;
  onCompacted(revision: number): void;
  onError(error: unknown): void;
}

/** Lets go of history that is older than its window, and of all of it when the disk is full. */
export class Compactor {
  readonly #options: CompactorOptions;
  #cancel: (() => void) | undefined;
  #running = false;
  #stopped = false;
  #emergencyAt = Number.NEGATIVE_INFINITY;

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /**
   * The disk is full: forgets all history now, at most once a second. Watchers that follow live do not notice; one
   * that was away has to list again, which is better than a cluster that cannot be written to.
   */
  makeRoom(): void {
    const now = this.#options.clock.now();
    if (now - this.#emergencyAt < 1000) return;
    this.#emergencyAt = now;
    void this.run(0);
  }

  /** Compacts to what was the newest revision `historyMs` ago; the configured window when none is given. */
  async run(historyMs?: number): Promise<void> {
    const storage = this.#options.storage();
    if (!storage || this.#running) return;
    this.#running = true;
    try {
      const stats = await storage.stats();
      this.#options.onStats(stats);
      const window = historyMs ?? stats.historyMs ?? this.#options.historyMs;
      const target = window === 0 ? stats.revision : await storage.revisionAt(this.#options.clock.now() - window);
      if (target > stats.compacted) {
        await storage.compact(target);
        this.#options.onCompacted(target);
      }
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#running = false;
    }
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(this.#options.intervalMs, () => {
      void this.run().finally(() => this.#schedule());
    });
  }
}

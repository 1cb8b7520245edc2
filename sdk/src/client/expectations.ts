/**
 * What a controller has asked for and not yet seen in its informer. Without it a controller that counts pods right after
 * creating some would not see them yet and create them again. Keys are those of the owner.
 *
 * Expectations that do not come true within five minutes are dropped (an event may have been missed): better to look
 * again than never.
 */
export class Expectations {
  readonly #byKey = new Map<string, { creations: number; deletions: Set<string>; since: number }>();
  readonly #now: () => number;
  readonly #timeoutMs: number;

  constructor(options: { timeoutMs?: number; now?: () => number } = {}) {
    this.#timeoutMs = options.timeoutMs ?? 5 * 60_000;
    this.#now = options.now ?? Date.now;
  }

  /** True when all that was asked for has been seen, or too long ago. */
  satisfied(key: string): boolean {
    const expected = this.#byKey.get(key);
    if (!expected) return true;
    if (expected.creations <= 0 && expected.deletions.size === 0) return true;
    return this.#now() - expected.since > this.#timeoutMs;
  }

  expectCreations(key: string, count: number): void {
    this.#at(key).creations += count;
  }

  /** Deletions are told apart by uid: a pod that was going anyway is not counted for one that we deleted. */
  expectDeletions(key: string, uids: Iterable<string>): void {
    const expected = this.#at(key);
    for (const uid of uids) expected.deletions.add(uid);
  }

  /** An owned object came, or its creation failed. */
  creationSeen(key: string, count = 1): void {
    const expected = this.#byKey.get(key);
    if (expected) expected.creations = Math.max(0, expected.creations - count);
  }

  /** An owned object went, or its deletion failed. */
  deletionSeen(key: string, uid: string): void {
    this.#byKey.get(key)?.deletions.delete(uid);
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  #at(key: string): { creations: number; deletions: Set<string>; since: number } {
    let expected = this.#byKey.get(key);
    if (!expected || (expected.creations <= 0 && expected.deletions.size === 0)) {
      this.#byKey.set(key, (expected = { creations: 0, deletions: new Set(), since: this.#now() }));
    }
    expected.since = this.#now();
    return expected;
  }
}

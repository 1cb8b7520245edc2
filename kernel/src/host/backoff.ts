/** Restart delays 1 s, 2 s, 4 s … 2 min, forgotten after ten quiet minutes; three crashes in five minutes are a failure. */
const FIRST_MS = 1_000;
const LAST_MS = 120_000;
const FORGET_MS = 600_000;
const FAILED_CRASHES = 3;
const FAILED_WINDOW_MS = 300_000;

export class CrashHistory {
  #crashes: number[] = [];
  restarts = 0;

  /** Records a crash. Returns how long to wait before the next start, and whether this counts as failed. */
  crashed(now: number): { delayMs: number; failed: boolean } {
    const last = this.#crashes.at(-1);
    if (last !== undefined && now - last > FORGET_MS) this.#crashes = [];
    this.#crashes.push(now);
    this.restarts++;
    const recent = this.#crashes.filter((at) => now - at <= FAILED_WINDOW_MS).length;
    return { delayMs: Math.min(LAST_MS, FIRST_MS * 2 ** (this.#crashes.length - 1)), failed: recent >= FAILED_CRASHES };
  }
}

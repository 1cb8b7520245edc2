const BASE_MS = 10_000;
const MAX_MS = 300_000;

/**
 * How long a container that ended waits to be started again: 10 s, doubled each time up to five minutes; the first restart is
 * at once. It is forgotten when a container ran for ten minutes.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
 */
export class CrashBackoff {
  readonly #entries = new Map<string, { delayMs: number; at: number }>();

  /** Milliseconds that a container which ended at `finishedAt` still has to wait; 0: it may start. */
  remaining(name: string, finishedAt: number, now = Date.now()): number {
    const entry = this.#entries.get(name);
    if (!entry || finishedAt - entry.at > 2 * MAX_MS) return 0;
    return Math.max(0, finishedAt + entry.delayMs - now);
  }

  delay(name: string): number {
    return this.#entries.get(name)?.delayMs ?? 0;
  }

  /** It is started again now, after having ended at `finishedAt`. */
  restarted(name: string, finishedAt: number, now = Date.now()): void {
    const entry = this.#entries.get(name);
    const delayMs = !entry || finishedAt - entry.at > 2 * MAX_MS ? BASE_MS : Math.min(MAX_MS, entry.delayMs * 2);
    this.#entries.set(name, { delayMs, at: now });
  }
}

/** `1m20s`, as the messages of CrashLoopBackOff print it. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

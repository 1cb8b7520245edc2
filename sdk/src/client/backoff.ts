/** Exponential backoff with jitter, in milliseconds. */
export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
  /** Each delay is lengthened by up to this share of itself, at random. Default 0.5. */
  jitter?: number;
  random?: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  next(): number {
    const { baseMs, maxMs, jitter = 0.5, random = Math.random } = this.#options;
    const delay = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures++, 40));
    return delay * (1 + jitter * random());
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

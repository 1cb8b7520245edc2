/**
 * A queue of keys for reconcilers. A key is in it at most once. A key that is added while it is being worked on waits
 * until that is done and then comes again: a worker sees the newest state, and no two workers ever have the same key.
 * First in, first out, also for keys that come again.
 */
export interface WorkQueue<K = string> {
  /** Keys ready to be taken. */
  readonly length: number;
  add(key: K): void;
  /** Milliseconds; a key that already waits comes at the earlier of the two times. */
  addAfter(key: K, ms: number): void;
  /** After a failure: waits 5 ms, 10 ms, … 1000 s for this key, and for a token of the queue's overall rate. */
  addRateLimited(key: K): void;
  /** The key is well again: its next failure starts at the shortest wait. */
  forget(key: K): void;
  /** How many failures in a row a key had. */
  retries(key: K): number;
  /** The next key, which must be given back with {@link done}. Undefined once the queue is shut down and empty. */
  take(): Promise<K | undefined>;
  done(key: K): void;
  /** No more keys are accepted; those waiting to be taken still are, delayed ones are dropped. */
  shutdown(): void;
}

export interface WorkQueueOptions {
  /** First wait after a failure. Default 5 ms. */
  baseDelayMs?: number;
  /** Longest wait after failures. Default 1,000,000 ms. */
  maxDelayMs?: number;
  /** Failed keys of the whole queue per second, beyond the burst. Default 10. */
  retriesPerSecond?: number;
  /** Default 100. */
  retryBurst?: number;
  metrics?: WorkQueueMetrics;
  /** Milliseconds that only go forward. */
  now?: () => number;
}

/** Called as things happen; durations in seconds, as Prometheus wants them (workqueue_* of Kubernetes' components). */
export interface WorkQueueMetrics {
  added?(): void;
  depth?(length: number): void;
  /** How long a key waited to be taken. */
  waited?(seconds: number): void;
  /** How long it was worked on. */
  worked?(seconds: number): void;
  retried?(): void;
}

export function createWorkQueue<K = string>(options: WorkQueueOptions = {}): WorkQueue<K> {
  return new DedupingQueue<K>(options);
}

class DedupingQueue<K> implements WorkQueue<K> {
  readonly #options: WorkQueueOptions;
  readonly #now: () => number;
  /** Insertion order is the queue's order; the value is when the key was added. */
  readonly #ready = new Map<K, number>();
  /** Taken and not yet done; the value is when it was taken. */
  readonly #processing = new Map<K, number>();
  /** Added while being processed. */
  readonly #again = new Set<K>();
  readonly #failures = new Map<K, number>();
  readonly #delayed = new DelayedKeys<K>();
  readonly #takers: ((key: K | undefined) => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #shutDown = false;
  /** Token bucket: when the next token is due. In the past: as many as fit since, up to the burst. */
  #nextTokenAt: number;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#nextTokenAt = Number.NEGATIVE_INFINITY;
  }

  get length(): number {
    return this.#ready.size;
  }

  add(key: K): void {
    if (this.#shutDown) return;
    if (this.#processing.has(key)) {
      if (!this.#again.has(key)) this.#options.metrics?.added?.();
      this.#again.add(key);
      return;
    }
    if (this.#ready.has(key)) return;
    this.#options.metrics?.added?.();
    this.#enqueue(key);
  }

  addAfter(key: K, ms: number): void {
    if (this.#shutDown) return;
    if (ms <= 0) return this.add(key);
    this.#delayed.push(key, this.#now() + ms);
    this.#arm();
  }

  addRateLimited(key: K): void {
    if (this.#shutDown) return;
    const { baseDelayMs = 5, maxDelayMs = 1_000_000 } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#options.metrics?.retried?.();
    this.addAfter(key, Math.max(Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failures, 40)), this.#reserveToken()));
  }

  forget(key: K): void {
    this.#failures.delete(key);
  }

  retries(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  take(): Promise<K | undefined> {
    for (const key of this.#ready.keys()) return Promise.resolve(this.#start(key));
    if (this.#shutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: K): void {
    const since = this.#processing.get(key);
    if (since === undefined) return;
    this.#processing.delete(key);
    this.#options.metrics?.worked?.((this.#now() - since) / 1000);
    if (this.#again.delete(key)) this.#enqueue(key);
  }

  shutdown(): void {
    this.#shutDown = true;
    clearTimeout(this.#timer);
    this.#delayed.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #enqueue(key: K): void {
    this.#ready.set(key, this.#now());
    this.#options.metrics?.depth?.(this.#ready.size);
    const taker = this.#takers.shift();
    if (taker) taker(this.#start(key));
  }

  #start(key: K): K {
    const now = this.#now();
    this.#options.metrics?.waited?.((now - (this.#ready.get(key) ?? now)) / 1000);
    this.#ready.delete(key);
    this.#processing.set(key, now);
    this.#options.metrics?.depth?.(this.#ready.size);
    return key;
  }

  /** Milliseconds until the token that this call takes is there. */
  #reserveToken(): number {
    const { retriesPerSecond = 10, retryBurst = 100 } = this.#options;
    const now = this.#now();
    const interval = 1000 / retriesPerSecond;
    this.#nextTokenAt = Math.max(this.#nextTokenAt, now - (retryBurst - 1) * interval);
    const waitMs = Math.max(0, this.#nextTokenAt - now);
    this.#nextTokenAt += interval;
    return waitMs;
  }

  #arm(): void {
    const next = this.#delayed.nextAt();
    if (next === undefined || next >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = next;
    // setTimeout takes 31 bits; it also rounds down, so a key may be looked at a moment early and is then armed again.
    this.#timer = setTimeout(() => this.#release(), Math.min(2 ** 31 - 1, Math.max(0, Math.ceil(next - this.#now()))));
  }

  #release(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    for (const key of this.#delayed.due(this.#now())) this.add(key);
    this.#arm();
  }
}

/** A binary heap by time; each key is in it once in effect: a key moved earlier leaves a stale entry that is skipped. */
class DelayedKeys<K> {
  readonly #heap: { key: K; at: number }[] = [];
  readonly #at = new Map<K, number>();

  push(key: K, at: number): void {
    const current = this.#at.get(key);
    if (current !== undefined && current <= at) return;
    this.#at.set(key, at);
    const heap = this.#heap;
    let index = heap.push({ key, at }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if ((heap[parent] as { at: number }).at <= at) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  nextAt(): number | undefined {
    this.#dropStale();
    return this.#heap[0]?.at;
  }

  due(now: number): K[] {
    const keys: K[] = [];
    for (;;) {
      this.#dropStale();
      const first = this.#heap[0];
      if (!first || first.at > now) return keys;
      this.#pop();
      this.#at.delete(first.key);
      keys.push(first.key);
    }
  }

  clear(): void {
    this.#heap.length = 0;
    this.#at.clear();
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first && this.#at.get(first.key) !== first.at; first = this.#heap[0]) this.#pop();
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    heap[0] = last;
    for (let index = 0; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < heap.length && (heap[child] as { at: number }).at < (heap[least] as { at: number }).at) least = child;
      }
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as { key: K; at: number }, heap[a] as { key: K; at: number }];
  }
}

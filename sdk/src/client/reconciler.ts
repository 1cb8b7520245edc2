import type { KubeObject } from '../api/object.ts';
import type { Logger, MetricsFactory } from '../define.ts';
import { statusCode } from '../errors.ts';
import { isConflict } from './errors.ts';
import type { Informer } from './informer.ts';
import { objectKey } from './paths.ts';
import { createWorkQueue, type WorkQueue, type WorkQueueMetrics, type WorkQueueOptions } from './workqueue.ts';

/**
 * Brings the world to what one object asks for. Level-triggered: it is told which object, not what happened, must read
 * the rest itself, may be called again at any time, and never twice at once for the same key.
 * May say when it wants to look again. What it throws is repeated with backoff.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined | void>;

export interface ReconcileResult {
  /** Look again after so many milliseconds. */
  requeueAfterMs?: number;
}

export interface ReconcilerOptions {
  /** Names logs and metrics: `deployment`. */
  name: string;
  reconcile: Reconcile;
  /** How many keys are worked on at once. Default 5. */
  workers?: number;
  /** Give a failing key up after so many retries; it comes back with its next event. Default: never. */
  maxRetries?: number;
  signal?: AbortSignal;
  log?: Logger;
  metrics?: MetricsFactory;
  queue?: WorkQueueOptions;
  /** Told about errors that are no API refusals, so most likely a defect of the reconciler. */
  onPanic?: (key: string, error: unknown) => void;
}

export interface Reconciler {
  readonly queue: WorkQueue;
  enqueue(key: string): void;
  enqueueAfter(key: string, ms: number): void;
  /**
   * Enqueues what `keysOf` says for each event of an informer; by default the object's own key. On an update both the
   * old and the new object are asked, so an object that leaves an owner is seen by the one it left.
   */
  watch<T extends KubeObject>(informer: Informer<T>, keysOf?: (object: T) => Iterable<string>): void;
  /** Starts the workers once the informers are synced. */
  start(...informers: { synced(): Promise<void> }[]): Promise<void>;
  /** Takes no more keys; resolves when the running calls ended. */
  stop(): Promise<void>;
}

export function createReconciler(options: ReconcilerOptions): Reconciler {
  return new RunningReconciler(options);
}

class RunningReconciler implements Reconciler {
  readonly queue: WorkQueue;
  readonly #options: ReconcilerOptions;
  readonly #abort = new AbortController();
  readonly #workers: Promise<void>[] = [];
  readonly #unwatch: (() => void)[] = [];

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.queue = createWorkQueue({
      ...(options.metrics ? { metrics: queueMetrics(options.metrics, options.name) } : {}),
      ...options.queue,
    });
    if (options.signal?.aborted) this.#end();
    options.signal?.addEventListener('abort', () => this.#end(), { once: true });
  }

  enqueue(key: string): void {
    this.queue.add(key);
  }

  enqueueAfter(key: string, ms: number): void {
    this.queue.addAfter(key, ms);
  }

  watch<T extends KubeObject>(informer: Informer<T>, keysOf: (object: T) => Iterable<string> = ownKey): void {
    const enqueue = (object: T): void => {
      for (const key of keysOf(object)) this.queue.add(key);
    };
    this.#unwatch.push(
      informer.on({
        add: enqueue,
        update: (object, old) => {
          if (old !== object) enqueue(old);
          enqueue(object);
        },
        delete: enqueue,
      }),
    );
  }

  async start(...informers: { synced(): Promise<void> }[]): Promise<void> {
    await Promise.all(informers.map((informer) => informer.synced()));
    if (this.#abort.signal.aborted) return;
    for (let worker = 0; worker < (this.#options.workers ?? 5); worker++) this.#workers.push(this.#work());
  }

  async stop(): Promise<void> {
    this.#end();
    await Promise.all(this.#workers);
  }

  #end(): void {
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.queue.shutdown();
    this.#abort.abort();
  }

  async #work(): Promise<void> {
    const { signal } = this.#abort;
    for (;;) {
      const key = await this.queue.take();
      if (key === undefined || signal.aborted) return;
      try {
        const result = await this.#options.reconcile(key, signal);
        this.queue.forget(key);
        if (result?.requeueAfterMs !== undefined) this.queue.addAfter(key, result.requeueAfterMs);
      } catch (error) {
        if (!signal.aborted) this.#failed(key, error);
      } finally {
        this.queue.done(key);
      }
    }
  }

  #failed(key: string, error: unknown): void {
    const { name, log, maxRetries, onPanic } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    const fields = { reconciler: name, object: key, error: message, retries: this.queue.retries(key) };
    const isAnswer = typeof (error as { code?: unknown } | null)?.code === 'string';
    if (!isAnswer) {
      log?.error('reconcile threw', { ...fields, stack: error instanceof Error ? error.stack : undefined });
      onPanic?.(key, error);
    } else if (isConflict(error) || statusCode(error) === 404) {
      // Someone else was faster: the informer brings the newer state.
      log?.debug('reconcile is repeated', fields);
    } else {
      log?.warn('reconcile failed', fields);
    }
    if (maxRetries !== undefined && this.queue.retries(key) >= maxRetries) {
      log?.warn('reconcile given up until the next event', fields);
      this.queue.forget(key);
    } else {
      this.queue.addRateLimited(key);
    }
  }
}

function ownKey(object: KubeObject): string[] {
  return [objectKey(object)];
}

/** The workqueue_* metrics that Kubernetes' own components have, by queue name. */
export function queueMetrics(metrics: MetricsFactory, name: string): WorkQueueMetrics {
  const labels = { name };
  const adds = metrics.counter('workqueue_adds_total', 'Keys added to a work queue', ['name']);
  const depth = metrics.gauge('workqueue_depth', 'Keys that wait in a work queue', ['name']);
  const retries = metrics.counter('workqueue_retries_total', 'Keys repeated after a failure', ['name']);
  const waited = metrics.histogram('workqueue_queue_duration_seconds', 'How long keys wait before they are taken', ['name']);
  const worked = metrics.histogram('workqueue_work_duration_seconds', 'How long keys are worked on', ['name']);
  return {
    added: () => adds.inc(labels),
    depth: (length) => depth.set(labels, length),
    retried: () => retries.inc(labels),
    waited: (seconds) => waited.observe(labels, seconds),
    worked: (seconds) => worked.observe(labels, seconds),
  };
}

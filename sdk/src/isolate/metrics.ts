import type { Counter, Gauge, Histogram, MetricsFactory } from '../index.ts';

type Prometheus = typeof import('prom-client');

/** Loading prom-client takes 35 ms, which a start can do without: it waits this long after the first metric, or for the first reader. */
const LOAD_AFTER_MS = 1_000;
/** What is counted while it waits is bounded: past this many notes it is loaded at once. */
const MOST_WAITING = 10_000;

/**
 * The metrics of one isolate. prom-client is loaded only where there are metrics (it costs a small isolate a tenth of its
 * memory), and not while plugins start; what is counted before it is there is kept and replayed.
 */
export class IsolateMetrics {
  #loading: Promise<void> | undefined;
  #later: NodeJS.Timeout | undefined;
  #prometheus: Prometheus | undefined;
  readonly #waiting: ((prometheus: Prometheus) => void)[] = [];

  factory(): MetricsFactory {
    return {
      counter: (name, help, labelNames = []) => {
        const metric = this.#define(
          (prometheus) =>
            existing<InstanceType<Prometheus['Counter']>>(prometheus, name) ?? new prometheus.Counter({ name, help, labelNames }),
        );
        return { inc: (labels = {}, value = 1) => metric((found) => found.inc(labels, value)) } satisfies Counter;
      },
      gauge: (name, help, labelNames = []) => {
        const metric = this.#define(
          (prometheus) => existing<InstanceType<Prometheus['Gauge']>>(prometheus, name) ?? new prometheus.Gauge({ name, help, labelNames }),
        );
        return { set: (labels, value) => metric((found) => found.set(labels, value)) } satisfies Gauge;
      },
      histogram: (name, help, labelNames = [], buckets) => {
        const metric = this.#define(
          (prometheus) =>
            existing<InstanceType<Prometheus['Histogram']>>(prometheus, name) ??
            new prometheus.Histogram({ name, help, labelNames, ...(buckets ? { buckets: [...buckets] } : {}) }),
        );
        return { observe: (labels, value) => metric((found) => found.observe(labels, value)) } satisfies Histogram;
      },
    };
  }

  /** prom-client's JSON form, which the host merges over isolates. */
  async collect(): Promise<unknown[]> {
    if (this.#later) await this.#load();
    return this.#prometheus ? await this.#prometheus.register.getMetricsAsJSON() : [];
  }

  #define<T>(make: (prometheus: Prometheus) => T): (use: (metric: T) => void) => void {
    let metric: T | undefined;
    const whenLoaded = (then: (prometheus: Prometheus) => void): void => {
      if (this.#prometheus) then(this.#prometheus);
      else if (this.#waiting.push(then) > MOST_WAITING) void this.#load();
    };
    this.#later ??= setTimeout(() => void this.#load(), LOAD_AFTER_MS).unref();
    whenLoaded((prometheus) => (metric = make(prometheus)));
    return (use) => {
      if (metric !== undefined) use(metric);
      else whenLoaded(() => use(metric as T));
    };
  }

  #load(): Promise<void> {
    clearTimeout(this.#later);
    this.#loading ??= import('prom-client').then((loaded) => {
      this.#prometheus = 'default' in loaded ? (loaded.default as Prometheus) : loaded;
      for (const then of this.#waiting.splice(0)) then(this.#prometheus);
    });
    return this.#loading;
  }
}

/** A plugin that restarts in its isolate defines its metrics again. */
function existing<T>(prometheus: Prometheus, name: string): T | undefined {
  return prometheus.register.getSingleMetric(name) as T | undefined;
}

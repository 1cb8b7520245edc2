import type { Counter, Gauge, Histogram, MetricsFactory } from '@kubernel/sdk';
import type { Call } from './call.ts';

/** The server's metrics, under the names that dashboards for Kubernetes look for. */
export class Metrics {
  readonly #total: Counter;
  readonly #duration: Histogram;
  readonly #inflight: Gauge;
  readonly #watchers: Gauge;
  readonly #rejected: Counter;
  readonly #watching = new Map<string, number>();

  constructor(factory: MetricsFactory) {
    const labels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'];
    this.#total = factory.counter('apiserver_request_total', 'Requests by what they asked for and how they were answered.', [
      ...labels,
      'code',
      'dry_run',
    ]);
    this.#duration = factory.histogram(
      'apiserver_request_duration_seconds',
      'Time to answer, watches and connections left out.',
      labels,
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    );
    this.#inflight = factory.gauge('apiserver_current_inflight_requests', 'Requests being answered right now.', ['request_kind']);
    this.#watchers = factory.gauge('apiserver_longrunning_requests', 'Watches and connections that are open.', labels);
    this.#rejected = factory.counter(
      'apiserver_flowcontrol_rejected_requests_total',
      'Requests answered 429 because too many were on their way.',
      ['request_kind'],
    );
  }

  observe(call: Call, code: number, durationMs: number): void {
    const labels = this.#labels(call);
    this.#total.inc({ ...labels, code: String(code), dry_run: call.query.size > 0 ? (call.query.get('dryRun') ?? '') : '' });
    if (labels.verb !== 'WATCH') this.#duration.observe(labels, durationMs / 1000);
  }

  inflight(reading: number, mutating: number): void {
    this.#inflight.set(READING, reading);
    this.#inflight.set(MUTATING, mutating);
  }

  rejected(mutating: boolean): void {
    this.#rejected.inc(mutating ? MUTATING : READING);
  }

  watchers(change: number, call: Call): void {
    const labels = { ...this.#labels(call), verb: 'WATCH' };
    const key = Object.values(labels).join('\n');
    const count = (this.#watching.get(key) ?? 0) + change;
    this.#watching.set(key, count);
    this.#watchers.set(labels, count);
  }

  /** Cached: most requests are of few kinds. */
  readonly #known = new Map<string, Record<string, string>>();

  #labels({ info, method, query }: Call): Record<string, string> {
    const watching = info.verb === 'watch' || (info.verb === 'list' && query.size > 0 && query.flag('watch'));
    const verb = watching ? 'WATCH' : info.verb === 'list' ? 'LIST' : info.verb === 'deletecollection' ? 'DELETECOLLECTION' : method;
    const scope = !info.resourceRequest ? '' : info.name ? 'resource' : info.namespace ? 'namespace' : 'cluster';
    const key = `${verb} ${scope} ${info.group}/${info.version}/${info.resource}/${info.subresource}`;
    let labels = this.#known.get(key);
    if (!labels) {
      labels = {
        verb,
        group: info.group,
        version: info.version,
        resource: info.resource,
        subresource: info.subresource,
        scope,
        component: 'apiserver',
      };
      if (this.#known.size < 2000) this.#known.set(key, labels);
    }
    return labels;
  }
}

const READING = { request_kind: 'readOnly' };
const MUTATING = { request_kind: 'mutating' };

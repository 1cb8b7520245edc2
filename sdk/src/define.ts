import type { Client } from './client/client.ts';
import type { ClusterSettings } from './roles/api.ts';
import type { Provided, RoleName, Roles } from './roles/index.ts';

/**
 * What a plugin's entry module exports: `export default definePlugin('storage/v1', 'sqlite', { start(ctx) {…} })`,
 * or a list of such definitions when the package provides several.
 *
 * @example
 * export default definePlugin('controller/v1', 'hello', {
 *   async start(ctx) {
 *     const client = ctx.client();
 *     ctx.log.info('hello', { pods: (await client.list(PODS)).items.length });
 *     return {};
 *   },
 * });
 */
export function definePlugin<R extends RoleName, C = Record<string, unknown>>(
  role: R,
  name: string,
  hooks: PluginHooks<R, C>,
): PluginDefinition<R, C> {
  return { role, name, hooks };
}

export interface PluginDefinition<R extends RoleName = RoleName, C = Record<string, unknown>> {
  role: R;
  name: string;
  hooks: PluginHooks<R, C>;
}

/** The life of a plugin. Only `start` is needed. Signals abort when the host's patience ends. */
export interface PluginHooks<R extends RoleName, C> {
  /** Opens what the plugin needs (through `ctx.defer`, so that it is undone in reverse) and returns its contract. */
  start(ctx: PluginContext<C>): Provided<R> | Promise<Provided<R>>;
  /** Before a swap's switch: is this copy fit to serve? Throw to refuse. */
  check?(signal: AbortSignal): void | Promise<void>;
  /** Finish what is in flight; new calls are held back by the host meanwhile. */
  quiesce?(signal: AbortSignal): void | Promise<void>;
  /** State for the successor, after quiesce. */
  snapshot?(signal: AbortSignal): unknown;
  /** State of the predecessor, before it serves. `version` is what the predecessor's manifest `state.writes` said. */
  restore?(state: unknown, version: number, signal: AbortSignal): void | Promise<void>;
  /** The swap was called off: go on. */
  resume?(signal: AbortSignal): void | Promise<void>;
  /** Everything deferred is disposed after this. */
  stop?(signal: AbortSignal): void | Promise<void>;
  /** The plugin's config changed in the file. Without it, the plugin is restarted with the new config. */
  reconfigure?(config: C): void | Promise<void>;
  /** Turns an older config document into the one this version reads. */
  migrateConfig?(config: unknown, fromVersion: string): C;
}

export interface PluginContext<C = Record<string, unknown>> {
  /** `controller/deployment`. */
  readonly id: string;
  readonly config: C;
  /** Aborts when the plugin is being stopped. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly metrics: MetricsFactory;
  readonly cluster: ClusterSettings;
  /** The data directory of the whole cluster, absolute. A plugin writes under `pluginDir` alone. */
  readonly dataDir: string;
  /** `<data-dir>/plugins/<id>`, created with mode 0700. */
  readonly pluginDir: string;
  /** The API as `system:plugin:<id>`. One client per plugin; it reconnects by itself. */
  client(): Client;
  /** A required role's provider, by name or the only one there is. Calls fail with ERR_ROLE_UNAVAILABLE while it is down. */
  use<R extends RoleName>(role: R, name?: string): Roles[R];
  /** The live, ordered list of extensions of a role that the config names, for a plugin that hosts them. */
  extensions<R extends RoleName>(role: R): Extensions<Roles[R]>;
  /** Undone in reverse order when the plugin stops, or when its start fails. */
  defer(dispose: () => unknown): void;
  /** Something inside the host asks to be told: an Event on the Plugin object, and a line in `kubernel status`. */
  report(state: 'degraded' | 'ok', reason: string): void;
}

/** Iterate it on each use: an extension that is swapped is replaced in place, between two iterations. */
export interface Extensions<T> extends Iterable<Extension<T>> {
  readonly length: number;
  get(name: string): T | undefined;
  /** Called after the list changed. */
  onChange(listener: () => void): void;
}

export interface Extension<T> {
  name: string;
  instance: T;
  config: Record<string, unknown>;
}

export type LogFields = Record<string, unknown>;

/** Structured logs. Values of fields named token, password, secret, key or authorization are never written. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Prometheus metrics, collected over all isolates at /metrics. */
export interface MetricsFactory {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram;
}
export interface Counter {
  inc(labels?: Record<string, string>, value?: number): void;
}
export interface Gauge {
  set(labels: Record<string, string>, value: number): void;
}
export interface Histogram {
  observe(labels: Record<string, string>, value: number): void;
}

import { type ClusterSettings, type Consumer, KubernelError, type PluginState, type PluginStatus, type RoleName } from '@kubernel/sdk';
import { callSignal, type Port } from '@kubernel/sdk/rpc';
import { isolateGone, startTimeout } from '../errors.ts';
import { CrashHistory } from './backoff.ts';
import { Broker } from './broker.ts';
import { type Dependencies, dependencies } from './graph.ts';
import { hostControl, type LogSink } from './host-control.ts';
import { IsolateSlot } from './isolate-slot.ts';
import { type Plugin, statusOf } from './plugin.ts';
import type { PluginSpec } from './resolve.ts';

const CHECK_MS = 2_000;

export interface Elector {
  /** Resolves when this kernel is the one to run the plugin; `lost` is called when it no longer is. */
  elected(id: string, lost: () => void, signal: AbortSignal): Promise<void>;
}

export interface HostOptions {
  dataDir: string;
  cluster: ClusterSettings;
  log: LogSink;
  /** What the kernel itself serves: `store/v1`. `host/v1` is added by the host. */
  kernelServices: Partial<Record<RoleName, object>>;
  elector: Elector;
  /** Called with each change of a plugin's state. */
  onChange?(status: PluginStatus, previous: PluginState): void;
}

/**
 * Runs plugins: starts each when what it needs runs, ties consumers to providers, restarts what crashes, and applies
 * changes of the config one by one.
 */
export class PluginHost {
  readonly #options: HostOptions;
  readonly #plugins = new Map<string, Plugin>();
  readonly #slots = new Map<string, IsolateSlot>();
  readonly #watchers = new Set<() => void>();
  readonly #broker: Broker;
  #edges: Dependencies = new Map();
  #checks: NodeJS.Timeout | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    const own = { plugins: async () => this.statuses(), watch: () => this.#watch(), metrics: () => this.metrics() };
    this.#broker = new Broker({
      plugins: () => this.#plugins.values(),
      once: (listener) => this.#once(listener),
      kernelServices: { ...options.kernelServices, 'host/v1': own },
    });
  }

  /** Starts everything. Resolves when all plugins run; a plugin that fails is retried and reported, and holds nobody up. */
  async start(specs: readonly PluginSpec[]): Promise<void> {
    this.#edges = dependencies(specs);
    for (const spec of specs) this.#add(spec);
    this.#checks = setInterval(() => void this.#check(), CHECK_MS);
    this.#checks.unref();
    await Promise.all(specs.map((spec) => this.#begin(this.#plugin(spec.id))));
  }

  /** The smallest set of starts, restarts and stops that leads from what runs to these specs. */
  async apply(specs: readonly PluginSpec[]): Promise<AppliedChange[]> {
    const edges = dependencies(specs);
    const wanted = new Map(specs.map((spec) => [spec.id, spec]));
    const gone = [...this.#plugins.values()].filter((plugin) => !wanted.has(plugin.spec.id));
    const added = specs.filter((spec) => !this.#plugins.has(spec.id));
    const changed = specs.filter((spec) => {
      const current = this.#plugins.get(spec.id);
      return current && !sameSpec(current.spec, spec);
    });
    for (const spec of specs) {
      const current = this.#plugins.get(spec.id);
      if (current) current.spec = { ...current.spec, order: spec.order };
    }
    const order = stopOrder(
      this.#edges,
      gone.map((plugin) => plugin.spec.id),
    );
    for (const id of order) await this.#remove(id);
    this.#edges = edges;
    for (const spec of added) this.#add(spec);
    for (const spec of added) void this.#begin(this.#plugin(spec.id));
    const changes: AppliedChange[] = [
      ...order.map((id) => ({ id, change: 'stopped' as const })),
      ...added.map(({ id }) => ({ id, change: 'started' as const })),
    ];
    for (const spec of changed) changes.push(await this.#change(spec));
    return changes;
  }

  async stop(): Promise<void> {
    clearInterval(this.#checks);
    for (const id of stopOrder(this.#edges, [...this.#plugins.keys()])) await this.#remove(id);
    await Promise.all([...this.#slots.values()].map((slot) => slot.close('the kernel stops')));
    this.#slots.clear();
  }

  /** Stops every plugin of a role, before the rest. */
  async stopRole(role: RoleName): Promise<void> {
    const ids = [...this.#plugins.values()].filter((plugin) => plugin.spec.role === role).map((plugin) => plugin.spec.id);
    for (const id of stopOrder(this.#edges, ids)) await this.#remove(id);
  }

  statuses(): PluginStatus[] {
    return [...this.#plugins.values()].map((plugin) => statusOf(plugin));
  }

  /** Resolves when the plugin runs (or another state is reached). */
  async reached(id: string, ...states: PluginState[]): Promise<void> {
    while (!states.includes(this.#plugin(id).state)) await new Promise<void>((resolve) => this.#once(resolve));
  }

  /** Merged over all isolates, in the Prometheus text format. */
  async metrics(): Promise<string> {
    const { AggregatorRegistry } = await import('prom-client');
    const parts = await Promise.all(
      [...this.#slots.values()].filter((slot) => slot.running).map(async (slot) => (await slot.service()).metrics().catch(() => [])),
    );
    return AggregatorRegistry.aggregate(parts.filter((part) => part.length > 0) as never).metrics();
  }

  /** A service as the kernel itself uses it, under the identity of `consumer`. */
  use<T extends object>(role: RoleName, consumer: Consumer): T {
    return this.#broker.use<T>(role, consumer);
  }

  /** A port to the provider of a role, for plugin `from`. */
  connect(from: string, role: RoleName, name: string | undefined): Promise<Port> {
    return this.#broker.connect(this.#plugin(from).spec, role, name);
  }

  report(id: string, state: 'degraded' | 'ok', reason: string): void {
    const plugin = this.#plugins.get(id);
    if (plugin && (plugin.state === 'Running' || plugin.state === 'Degraded'))
      this.#move(plugin, state === 'ok' ? 'Running' : 'Degraded', state === 'ok' ? undefined : reason);
  }

  // ------------------------------------------------------------------------------------------------ one plugin's life

  #add(spec: PluginSpec): void {
    let slot = this.#slots.get(spec.isolate);
    if (!slot) {
      slot = new IsolateSlot(spec.isolate, spec.isolateKind, spec.heapMb, hostControl(this, this.#options.log), {
        crashed: (ended, reason) => this.#crashed(ended, reason),
      });
      this.#slots.set(spec.isolate, slot);
    }
    this.#plugins.set(spec.id, {
      spec,
      slot,
      state: 'Pending',
      reason: undefined,
      since: Date.now(),
      history: new CrashHistory(),
      restarts: 0,
      abort: new AbortController(),
      timer: undefined,
    });
  }

  /** Waits for what it needs, for its election, then starts it. Resolves when it runs or when it failed this time. */
  async #begin(plugin: Plugin): Promise<void> {
    const { spec, abort } = plugin;
    try {
      const api = this.#apiBefore(spec);
      if (api) await this.#whenRunning(plugin, api);
      // A host's module takes longest to import: it loads while its extensions and requirements start.
      const hosts = [...this.#plugins.values()].some((other) => other.spec.hostId === spec.id);
      const loading = hosts ? this.#load(plugin) : undefined;
      loading?.catch(() => {});
      for (const id of this.#edges.get(spec.id) ?? []) await this.#whenRunning(plugin, id);
      if (spec.elected) {
        this.#move(plugin, 'Standby', 'waits to be elected');
        await this.#options.elector.elected(spec.id, () => void this.#lostElection(plugin), abort.signal);
      }
      abort.signal.throwIfAborted();
      this.#move(plugin, 'Starting', undefined);
      await (loading ?? this.#load(plugin));
      const service = await plugin.slot.service();
      await withTimeout(service.start(spec.id), spec.limits.startMs, () => startTimeout(spec.id, spec.limits.startMs));
      abort.signal.throwIfAborted();
      this.#move(plugin, 'Running', undefined);
    } catch (error) {
      if (abort.signal.aborted || plugin.state === 'Restarting' || plugin.state === 'Failed') return;
      this.#options.log.log('error', spec.id, 'did not start', { error: (error as Error).stack ?? String(error) });
      this.#retry(plugin, plugin.history, (error as Error).message);
    }
  }

  /**
   * The API server that must run before this plugin is loaded: whatever uses the API, extensions of such a host included, would
   * only take processors from the API's own start.
   */
  #apiBefore(spec: PluginSpec): string | undefined {
    return this.#edges.get(spec.hostId ?? spec.id)?.find((id) => this.#plugins.get(id)?.spec.role === 'apiserver/v1');
  }

  async #load(plugin: Plugin): Promise<void> {
    const { id, role, name, entry, config, limits, order } = plugin.spec;
    const { dataDir, cluster } = this.#options;
    const service = await plugin.slot.service();
    await withTimeout(service.load({ id, role, name, entry, config, cluster, dataDir, limits, order }), limits.startMs, () =>
      startTimeout(id, limits.startMs),
    );
  }

  /** An isolate ended without being asked: everything in it starts again, after a while. */
  #crashed(slot: IsolateSlot, reason: string): void {
    const victims = [...this.#plugins.values()].filter((plugin) => plugin.slot === slot && plugin.state !== 'Stopped');
    const { delayMs, failed } = slot.history.crashed(Date.now());
    this.#options.log.log('error', victims.map((plugin) => plugin.spec.id).join(','), isolateGone(slot.name, reason).message, undefined);
    for (const plugin of victims) {
      plugin.abort.abort();
      plugin.abort = new AbortController();
      plugin.restarts++;
      this.#move(plugin, failed ? 'Failed' : 'Restarting', `isolate ${slot.name} ended: ${firstLine(reason)}`);
      this.#startLater(plugin, delayMs);
    }
  }

  #retry(plugin: Plugin, history: CrashHistory, reason: string): void {
    const { delayMs, failed } = history.crashed(Date.now());
    plugin.restarts++;
    this.#move(plugin, failed ? 'Failed' : 'Restarting', reason);
    this.#startLater(plugin, delayMs);
  }

  #startLater(plugin: Plugin, delayMs: number): void {
    clearTimeout(plugin.timer);
    plugin.timer = setTimeout(() => void this.#begin(plugin), delayMs);
    plugin.timer.unref();
  }

  async #lostElection(plugin: Plugin): Promise<void> {
    if (plugin.state === 'Stopped' || plugin.state === 'Stopping') return;
    await this.#halt(plugin);
    void this.#begin(plugin);
  }

  /** Stops the copy that runs; the plugin stays in the list. */
  async #halt(plugin: Plugin): Promise<void> {
    clearTimeout(plugin.timer);
    plugin.abort.abort();
    plugin.abort = new AbortController();
    const wasUp = plugin.slot.running;
    this.#move(plugin, 'Stopping', undefined);
    if (wasUp) {
      const { drainMs } = plugin.spec.limits;
      const stopping = (await plugin.slot.service()).stop(plugin.spec.id, drainMs);
      await withTimeout(
        stopping,
        drainMs + 1_000,
        () => new KubernelError('ERR_PLUGIN_STOP_TIMEOUT', `${plugin.spec.id} did not stop in ${drainMs} ms`),
      ).catch((error: Error) => this.#options.log.log('warn', plugin.spec.id, 'stopped uncleanly', { error: error.message }));
    }
    this.#move(plugin, 'Stopped', undefined);
  }

  async #remove(id: string): Promise<void> {
    const plugin = this.#plugins.get(id);
    if (!plugin) return;
    await this.#halt(plugin);
    this.#plugins.delete(id);
    await this.#closeEmpty(plugin.slot);
    this.#notify();
  }

  async #closeEmpty(slot: IsolateSlot): Promise<void> {
    if ([...this.#plugins.values()].some((plugin) => plugin.slot === slot)) return;
    this.#slots.delete(slot.name);
    await slot.close('its last plugin stopped');
  }

  /** A changed spec: in place where the plugin can, else stop and start; the old one comes back when the new one fails. */
  async #change(spec: PluginSpec): Promise<AppliedChange> {
    const plugin = this.#plugin(spec.id);
    const old = plugin.spec;
    if (
      onlyConfigChanged(old, spec) &&
      plugin.slot.running &&
      (await (await plugin.slot.service()).reconfigure(spec.id, spec.config).catch(() => false))
    ) {
      plugin.spec = spec;
      return { id: spec.id, change: 'reconfigured' };
    }
    await this.#replace(plugin, spec);
    const replaced = this.#plugin(spec.id);
    if (replaced.state === 'Running' || replaced.state === 'Standby') return { id: spec.id, change: 'restarted' };
    const reason = replaced.reason ?? replaced.state;
    this.#options.log.log('error', spec.id, 'the changed plugin did not start; the old one is put back', { reason });
    await this.#replace(replaced, old);
    return { id: spec.id, change: 'refused', reason };
  }

  async #replace(plugin: Plugin, spec: PluginSpec): Promise<void> {
    const { restarts } = plugin;
    await this.#halt(plugin);
    this.#plugins.delete(spec.id);
    // A new version needs a new thread: modules cannot be unloaded.
    await this.#closeEmpty(plugin.slot);
    this.#add(spec);
    const next = this.#plugin(spec.id);
    next.restarts = restarts;
    await this.#begin(next);
  }

  // ------------------------------------------------------------------------------------------------ waiting

  async #whenRunning(plugin: Plugin, id: string): Promise<void> {
    for (;;) {
      plugin.abort.signal.throwIfAborted();
      const state = this.#plugins.get(id)?.state;
      if (state === 'Running' || state === 'Degraded') return;
      this.#move(plugin, 'Pending', `waits for ${id}`);
      await new Promise<void>((resolve) => this.#once(resolve));
    }
  }

  // ------------------------------------------------------------------------------------------------ status

  async #check(): Promise<void> {
    for (const plugin of this.#plugins.values()) {
      if ((plugin.state !== 'Running' && plugin.state !== 'Degraded') || !plugin.slot.running) continue;
      const problem = await (await plugin.slot.service()).check(plugin.spec.id).catch(() => undefined);
      if (plugin.state === 'Running' && problem) this.#move(plugin, 'Degraded', problem);
      else if (plugin.state === 'Degraded' && !problem) this.#move(plugin, 'Running', undefined);
    }
  }

  #move(plugin: Plugin, state: PluginState, reason: string | undefined): void {
    if (plugin.state === state && plugin.reason === reason) return;
    const previous = plugin.state;
    if (previous !== state) plugin.since = Date.now();
    plugin.state = state;
    plugin.reason = reason;
    this.#options.onChange?.(statusOf(plugin), previous);
    this.#notify();
  }

  #plugin(id: string): Plugin {
    const plugin = this.#plugins.get(id);
    if (!plugin) throw new KubernelError('ERR_PLUGIN_NOT_FOUND', `${id} is not part of this cluster`, { subject: id });
    return plugin;
  }

  #notify(): void {
    const listeners = [...this.#watchers];
    this.#watchers.clear();
    for (const listener of listeners) listener();
  }

  /** Called at the next change of any plugin. */
  #once(listener: () => void): void {
    this.#watchers.add(listener);
  }

  #watch(): AsyncIterable<PluginStatus[]> {
    const signal = callSignal();
    return this.#changes(signal);
  }

  async *#changes(signal: AbortSignal | undefined): AsyncIterable<PluginStatus[]> {
    while (!signal?.aborted) {
      yield this.statuses();
      await new Promise<void>((resolve) => {
        this.#once(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

export interface AppliedChange {
  id: string;
  change: 'started' | 'stopped' | 'restarted' | 'reconfigured' | 'refused';
  reason?: string;
}

/** Those who need others before those they need. */
function stopOrder(edges: Dependencies, ids: readonly string[]): string[] {
  const order: string[] = [];
  const visit = (id: string): void => {
    if (order.includes(id)) return;
    for (const [other, needs] of edges) if (needs.includes(id) && ids.includes(other)) visit(other);
    if (!order.includes(id)) order.push(id);
  };
  for (const id of ids) visit(id);
  return order;
}

function sameSpec(a: PluginSpec, b: PluginSpec): boolean {
  return JSON.stringify({ ...a, order: 0 }) === JSON.stringify({ ...b, order: 0 });
}

function onlyConfigChanged(a: PluginSpec, b: PluginSpec): boolean {
  return sameSpec({ ...a, config: {} }, { ...b, config: {} });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}

async function withTimeout<T>(work: Promise<T>, ms: number, error: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error()), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

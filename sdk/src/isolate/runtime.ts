import {
  type Consumer,
  type Extension,
  type Extensions,
  KubernelError,
  type PerConsumer,
  type PluginDefinition,
  ROLES,
  type RoleName,
} from '../index.ts';
import { Channel, type Port, remote } from '../rpc/index.ts';
import { createContext } from './context.ts';
import { IdleCollector } from './idle-collector.ts';
import { IsolateMetrics } from './metrics.ts';
import type { Heartbeat, HostControl, IsolateService, LoadRequest } from './protocol.ts';

interface Loaded {
  request: LoadRequest;
  definition: PluginDefinition;
  abort: AbortController;
  /** What start returned. */
  instance: unknown;
  /** Undone in reverse order. */
  disposals: (() => unknown)[];
  /** Ports of consumers that came before the plugin had started. */
  early: { consumer: Consumer; port: Port }[];
  channels: Set<Channel>;
}

/** Hosts plugins in one isolate: a worker thread, a child process, or the kernel's own thread. */
export class IsolateRuntime implements IsolateService {
  readonly #host: HostControl;
  readonly #plugins = new Map<string, Loaded>();
  readonly #extensions = new Map<string, ExtensionList>();
  readonly #metrics = new IsolateMetrics();
  readonly #idle = new IdleCollector();

  constructor(control: Channel) {
    const { connect } = remote<HostControl>('host', [], async () => control);
    this.#host = {
      connect,
      log: (...args) => control.notify('host', 'log', args),
      report: (...args) => control.notify('host', 'report', args),
    };
    control.serve('isolate', this);
  }

  async load(request: LoadRequest): Promise<void> {
    const module = (await import(request.entry)) as { default?: PluginDefinition | PluginDefinition[] };
    const definitions = [module.default ?? []].flat() as PluginDefinition[];
    const definition = definitions.find((one) => one.role === request.role && one.name === request.name);
    if (!definition) {
      throw new KubernelError(
        'ERR_PLUGIN_ENTRY',
        `the default export of ${request.entry} has no definition of ${request.role} ${request.name}`,
        {
          subject: request.id,
          hint: 'the entry must export default definePlugin(role, name, …) for what the manifest provides',
        },
      );
    }
    this.#plugins.set(request.id, {
      request,
      definition,
      abort: new AbortController(),
      instance: undefined,
      disposals: [],
      early: [],
      channels: new Set(),
    });
  }

  async start(id: string): Promise<void> {
    const plugin = this.#loaded(id);
    const { request, definition } = plugin;
    const ctx = createContext({
      plugin: request,
      host: this.#host,
      metrics: this.#metrics,
      signal: plugin.abort.signal,
      extensions: (role) => this.#list(role),
      defer: (dispose) => plugin.disposals.push(dispose),
    });
    try {
      plugin.instance = await definition.hooks.start(ctx);
    } catch (error) {
      await this.#dispose(plugin);
      throw error;
    }
    if (ROLES[request.role].kind === 'extension') {
      this.#list(request.role).add({ name: request.name, instance: plugin.instance, config: request.config }, request.order);
      plugin.disposals.push(() => this.#list(request.role).remove(request.name));
    }
    for (const { consumer, port } of plugin.early.splice(0)) this.#serve(plugin, consumer, port);
  }

  async stop(id: string, drainMs: number): Promise<void> {
    const plugin = this.#plugins.get(id);
    if (!plugin) return;
    this.#plugins.delete(id);
    const patience = AbortSignal.timeout(drainMs);
    try {
      await plugin.definition.hooks.quiesce?.(patience);
      await plugin.definition.hooks.stop?.(patience);
    } finally {
      await this.#dispose(plugin);
    }
  }

  async reconfigure(id: string, config: Record<string, unknown>): Promise<boolean> {
    const plugin = this.#loaded(id);
    if (!plugin.definition.hooks.reconfigure) return false;
    await plugin.definition.hooks.reconfigure(config);
    plugin.request.config = config;
    return true;
  }

  accept(id: string, consumer: Consumer, port: Port): void {
    const plugin = this.#loaded(id);
    if (plugin.instance === undefined) plugin.early.push({ consumer, port });
    else this.#serve(plugin, consumer, port);
  }

  async check(id: string): Promise<string | undefined> {
    const { instance } = this.#loaded(id);
    const check = (instance as { check?: () => unknown } | undefined)?.check;
    return typeof check === 'function' ? ((await check.call(instance)) as string | undefined) : undefined;
  }

  heartbeat(): Heartbeat {
    const cpu = (process as { threadCpuUsage?: () => NodeJS.CpuUsage }).threadCpuUsage?.() ?? process.cpuUsage();
    const cpuMicros = cpu.user + cpu.system;
    // After the answer: the host asks threads and processes only, so that an embedder's own thread is never held up.
    setImmediate(() => this.#idle.look(cpuMicros));
    return { heapBytes: process.memoryUsage().heapUsed, cpuMicros };
  }

  metrics(): Promise<unknown[]> {
    return this.#metrics.collect();
  }

  #serve(plugin: Loaded, consumer: Consumer, port: Port): void {
    const channel = new Channel(port);
    const { instance, request } = plugin;
    const service = isPerConsumer(instance) ? instance.connect(consumer) : (instance as object);
    channel.serve(request.role, service);
    plugin.channels.add(channel);
    channel.onClose(() => plugin.channels.delete(channel));
  }

  async #dispose(plugin: Loaded): Promise<void> {
    plugin.abort.abort(new KubernelError('ERR_PLUGIN_STOPPED', `${plugin.request.id} is stopped`));
    for (const dispose of plugin.disposals.splice(0).reverse()) {
      try {
        await dispose();
      } catch (error) {
        this.#host.log('warn', plugin.request.id, 'a disposal failed', { error: (error as Error).message });
      }
    }
    for (const channel of [...plugin.channels]) channel.close();
  }

  #loaded(id: string): Loaded {
    const plugin = this.#plugins.get(id);
    if (!plugin) throw new KubernelError('ERR_PLUGIN_NOT_LOADED', `${id} is not loaded in this isolate`, { subject: id });
    return plugin;
  }

  #list(role: RoleName): ExtensionList {
    let list = this.#extensions.get(role);
    if (!list) this.#extensions.set(role, (list = new ExtensionList()));
    return list;
  }
}

function isPerConsumer(instance: unknown): instance is PerConsumer<object> {
  return typeof (instance as { connect?: unknown } | undefined)?.connect === 'function';
}

/** Extensions in config order. Replaced as a whole on change, so that a caller's loop never sees half a change. */
class ExtensionList implements Extensions<unknown> {
  #entries: readonly { order: number; extension: Extension<unknown> }[] = [];
  readonly #listeners = new Set<() => void>();

  get length(): number {
    return this.#entries.length;
  }

  get(name: string): unknown {
    return this.#entries.find((entry) => entry.extension.name === name)?.extension.instance;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  *[Symbol.iterator](): Iterator<Extension<unknown>> {
    for (const entry of this.#entries) yield entry.extension;
  }

  add(extension: Extension<unknown>, order: number): void {
    const others = this.#entries.filter((entry) => entry.extension.name !== extension.name);
    this.#entries = [...others, { order, extension }].sort((a, b) => a.order - b.order);
    for (const listener of this.#listeners) listener();
  }

  remove(name: string): void {
    this.#entries = this.#entries.filter((entry) => entry.extension.name !== name);
    for (const listener of this.#listeners) listener();
  }
}

import type { ClusterSettings, Consumer, LogFields, PluginLimits, RoleName } from '../index.ts';
import type { Port } from '../rpc/index.ts';

/** What the host asks of an isolate: service `isolate` on its control channel. */
export interface IsolateService {
  /** Imports the module and makes the context; nothing of the plugin but its top level runs. */
  load(plugin: LoadRequest): Promise<void>;
  start(id: string): Promise<void>;
  stop(id: string, drainMs: number): Promise<void>;
  /** False: the plugin has no `reconfigure`, restart it. */
  reconfigure(id: string, config: Record<string, unknown>): Promise<boolean>;
  /** A consumer of a service of plugin `id` is at the other end of the port. */
  accept(id: string, consumer: Consumer, port: Port): void;
  check(id: string): Promise<string | undefined>;
  /** Answers at once when the isolate's event loop turns. */
  heartbeat(): Heartbeat;
  /** prom-client's metrics as JSON. */
  metrics(): Promise<unknown[]>;
}

export interface Heartbeat {
  heapBytes: number;
  /** CPU time of the isolate's thread since it started, in microseconds. */
  cpuMicros: number;
}

export interface LoadRequest {
  id: string;
  role: RoleName;
  name: string;
  entry: string;
  config: Record<string, unknown>;
  cluster: ClusterSettings;
  dataDir: string;
  limits: Required<Omit<PluginLimits, 'heapMb'>>;
  /** Position among the extensions of a role. */
  order: number;
}

/** What an isolate asks of the host: service `host` on the same channel. */
export interface HostControl {
  /** A port to the provider of a role, as the plugin `from`. Comes transferred. */
  connect(from: string, role: RoleName, name: string | undefined): Promise<Port>;
  log(level: LogLevel, id: string, message: string, fields: LogFields | undefined): void;
  report(id: string, state: 'degraded' | 'ok', reason: string): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

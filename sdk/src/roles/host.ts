import type { PermissionRule } from '../manifest.ts';
import type { UserInfo } from './auth.ts';

/** host/v1: what the plugin host tells about plugins. Provided by the kernel itself. */
export interface HostService {
  plugins(): Promise<PluginStatus[]>;
  /** The whole list now, and again after each change. */
  watch(): AsyncIterable<PluginStatus[]>;
  /** Metrics of every isolate in the Prometheus text format. */
  metrics(): Promise<string>;
}

export type PluginState = 'Pending' | 'Starting' | 'Running' | 'Degraded' | 'Restarting' | 'Failed' | 'Stopping' | 'Stopped' | 'Standby';

export interface PluginStatus {
  /** `storage/sqlite`. */
  id: string;
  role: string;
  package: string;
  version: string;
  isolate: string;
  isolateKind: 'thread' | 'inline' | 'process' | 'kernel';
  state: PluginState;
  /** Why it is not Running: an error's message, or what the plugin reported. */
  reason?: string;
  /** ms since the epoch. */
  since: number;
  restarts: number;
  /** Of its isolate. */
  heapBytes: number;
  /** Share of one core over the last heartbeats, 0..1, of its isolate. */
  cpu: number;
}

/** Who is at the other end of a service connection. */
export interface Consumer {
  /** Plugin id. */
  id: string;
  /** `system:plugin:<id>`, group `system:plugins`. */
  user: UserInfo;
  /** What the manifest asks and the config grants: this consumer may do just that, besides what RBAC gives its user. */
  rules: PermissionRule[];
}

/** A service that looks at who calls: the host calls `connect` once for each consumer. */
export interface PerConsumer<T> {
  connect(consumer: Consumer): T;
}

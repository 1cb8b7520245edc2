/**
 * The plugin side of an isolate: what loads plugins, gives each its context, and serves its consumers. The host uses it in
 * worker threads, child processes and its own thread; `@kubernel/sdk/testing` in a test's.
 */
export { IdleCollector } from './idle-collector.ts';
export type { Heartbeat, HostControl, IsolateService, LoadRequest, LogLevel } from './protocol.ts';
export { IsolateRuntime } from './runtime.ts';

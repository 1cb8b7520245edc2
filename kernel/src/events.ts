import type { PluginState, PluginStatus } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Client } from '@kubernel/sdk/client';
import type { LogSink } from './host/host-control.ts';

/** Reports that wait for an API server; the oldest is dropped beyond this many. */
const MAX_WAITING = 100;
const RETRY_MS = 2_000;

interface Report {
  status: PluginStatus;
  reason: 'PluginFailed' | 'PluginRestarting' | 'PluginDegraded' | 'PluginRecovered';
  at: string;
}

/** Tells of plugins that crash, fail and recover as Kubernetes Events about the Plugin object (`kubectl get events`). */
export class EventReporter {
  readonly #log: LogSink;
  readonly #waiting: Report[] = [];
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #serial = 0;

  constructor(log: LogSink) {
    this.#log = log;
  }

  start(client: Client): void {
    this.#client = client;
    void this.#send();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#client = undefined;
  }

  changed(status: PluginStatus, previous: PluginState): void {
    const reason =
      status.state === 'Running' && previous === 'Starting' && status.restarts > 0 ? 'PluginRecovered' : reasonOf(status.state, previous);
    if (!reason || status.state === previous) return;
    this.#log.log(reason === 'PluginRecovered' ? 'info' : 'warn', status.id, reason, { state: status.state, reason: status.reason });
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift();
    this.#waiting.push({ status, reason, at: new Date().toISOString().replace(/\.\d+Z$/, 'Z') });
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#sending || !this.#client) return;
    this.#sending = true;
    try {
      while (this.#waiting[0] && this.#client) {
        await this.#client.create({ group: '', version: 'v1', resource: 'events' }, this.#event(this.#waiting[0]), {
          namespace: 'default',
        });
        this.#waiting.shift();
      }
    } catch {
      // The API server itself may be what crashed: try again later.
      this.#timer = setTimeout(() => void this.#send(), RETRY_MS);
      this.#timer.unref();
    } finally {
      this.#sending = false;
    }
  }

  #event({ status, reason, at }: Report): KubeObject {
    const name = status.id.replace('/', '-');
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${Date.now().toString(16)}${(this.#serial++).toString(16)}`, namespace: 'default' },
      involvedObject: { apiVersion: 'kubernel.dev/v1alpha1', kind: 'Plugin', name },
      reason,
      message: status.reason ?? `${status.id} is ${status.state}`,
      type: reason === 'PluginRecovered' ? 'Normal' : 'Warning',
      source: { component: 'kubernel' },
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    };
  }
}

function reasonOf(state: PluginState, previous: PluginState): Report['reason'] | undefined {
  if (state === 'Failed') return 'PluginFailed';
  if (state === 'Restarting') return 'PluginRestarting';
  if (state === 'Degraded') return 'PluginDegraded';
  return state === 'Running' && previous === 'Degraded' ? 'PluginRecovered' : undefined;
}

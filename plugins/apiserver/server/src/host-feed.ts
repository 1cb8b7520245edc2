import { setTimeout } from 'node:timers/promises';
import type { HostService, Logger, PluginStatus } from '@kubernel/sdk';
import type { Health } from './health.ts';

const RETRY_MS = 1_000;
/** The states in which a plugin does not do what the config asks of it. */
const UNFIT = new Set<PluginStatus['state']>(['Failed', 'Restarting', 'Degraded']);

/** Keeps readiness informed of the other plugins, for as long as the host can be asked. */
export async function followHost(host: HostService, health: Health, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const plugins of host.watch()) {
        if (signal.aborted) return;
        health.setPlugins(
          plugins.map(({ id, state, reason }) => ({
            name: id,
            why: UNFIT.has(state) ? (reason ? `${state}: ${reason}` : state) : undefined,
          })),
        );
      }
    } catch (error) {
      if (signal.aborted) return;
      log.debug('the plugin host could not be followed, trying again', { error: String(error) });
    }
    await setTimeout(RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}

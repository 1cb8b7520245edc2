import type { PluginState, PluginStatus } from '@kubernel/sdk';
import type { CrashHistory } from './backoff.ts';
import type { IsolateSlot } from './isolate-slot.ts';
import type { PluginSpec } from './resolve.ts';

/** A plugin of the composition and what has become of it. */
export interface Plugin {
  spec: PluginSpec;
  slot: IsolateSlot;
  state: PluginState;
  reason: string | undefined;
  since: number;
  history: CrashHistory;
  restarts: number;
  /** Aborts when the plugin is being stopped or replaced: whatever tries to start it gives up. */
  abort: AbortController;
  timer: NodeJS.Timeout | undefined;
}

/** It can be called: perhaps not at its best, but there. */
export function isUp(plugin: Plugin): boolean {
  return plugin.state === 'Running' || plugin.state === 'Degraded';
}

export function statusOf({ spec, slot, state, reason, since, restarts }: Plugin): PluginStatus {
  return {
    id: spec.id,
    role: spec.role,
    package: spec.package,
    version: spec.version,
    isolate: slot.name,
    isolateKind: slot.kind,
    state,
    ...(reason ? { reason } : {}),
    since,
    restarts,
    heapBytes: slot.heapBytes,
    cpu: slot.cpu,
  };
}

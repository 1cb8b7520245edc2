import type { Decoded } from './object.ts';

/** Fields of pods whose features are off: clients may send them, but they are not stored. */
export function dropDisabledPodFields(spec: Decoded | undefined): void {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of (spec?.[list] ?? []) as Decoded[]) {
      if (!container.lifecycle) continue;
      delete container.lifecycle.stopSignal;
      if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
    }
  }
}

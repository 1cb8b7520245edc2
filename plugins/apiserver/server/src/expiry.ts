import { setTimeout } from 'node:timers/promises';
import type { Api } from './api.ts';
import type { Entry } from './cache/entry.ts';

const SWEEP_MS = 60_000;

/** Removes objects of kinds with a time to live (events: an hour after they were last written). */
export async function expireObjects(api: Api, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await setTimeout(SWEEP_MS, undefined, { signal, ref: false }).catch(() => {});
    if (!signal.aborted) await sweep(api, Date.now());
  }
}

export async function sweep(api: Api, now: number): Promise<void> {
  for (const { definition, cache } of api.registry.resources) {
    if (!definition.ttlSeconds || definition.storedAs) continue;
    const before = now - definition.ttlSeconds * 1000;
    const over = [...cache.entries.values()].filter((entry) => lastWritten(entry) < before);
    // One that was written since stands at another revision, and stays.
    await Promise.all(over.map((entry) => api.writer.write(entry.key, null, entry.revision, true).catch(() => 0)));
  }
}

const TIMES = /"(?:creationTimestamp|lastTimestamp|lastObservedTime|time)":"([^"]+)"/g;

/** The newest of an object's own times, found in its text: parsing each event each minute would cost more than all else. */
function lastWritten({ text }: Entry): number {
  let newest = 0;
  for (const [, time = ''] of text.matchAll(TIMES)) newest = Math.max(newest, Date.parse(time) || 0);
  return newest;
}

import { setTimeout as delay } from 'node:timers/promises';
import type { LeaseClock } from './lease.ts';

export const systemClock: LeaseClock = {
  now: Date.now,
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }),
};

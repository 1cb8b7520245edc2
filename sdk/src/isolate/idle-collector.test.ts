import { getHeapStatistics } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdleCollector } from './idle-collector.ts';

const SECOND = 1_000;
let now = 0;

beforeEach(() => {
  now = 10 * SECOND;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => void vi.restoreAllMocks());

/** Litter that V8 has no reason to collect by itself; returns how large the heap is with it. */
function litter(): number {
  const kept: unknown[] = [];
  for (let i = 0; i < 400_000; i++) kept.push({ i });
  return getHeapStatistics().used_heap_size;
}

function used(): number {
  return getHeapStatistics().used_heap_size;
}

describe('the idle collector', () => {
  it('collects once its isolate has been quiet for a while', () => {
    const collector = new IdleCollector();
    const littered = litter();
    for (let i = 0; i < 2; i++) {
      now += SECOND;
      collector.look(0);
    }
    expect(used()).toBeGreaterThanOrEqual(littered);
    now += SECOND;
    collector.look(0);
    expect(used()).toBeLessThan(littered - (8 << 20));
  });

  it('leaves an isolate alone that works', () => {
    const collector = new IdleCollector();
    const littered = litter();
    for (let cpuMicros = 0, i = 0; i < 10; i++) {
      now += SECOND;
      collector.look((cpuMicros += 100_000));
    }
    expect(used()).toBeGreaterThanOrEqual(littered);
  });
});

import { describe, expect, it } from 'vitest';
import { CrashHistory } from './backoff.ts';

describe('a crash history', () => {
  it('waits 1 s, 2 s, 4 s … and never more than two minutes', () => {
    const history = new CrashHistory();
    const delays = Array.from({ length: 10 }, (_, i) => history.crashed(i * 120_000).delayMs);
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000]);
  });

  it('counts three crashes in five minutes as a failure', () => {
    const history = new CrashHistory();
    expect([0, 100_000, 200_000].map((at) => history.crashed(at).failed)).toEqual([false, false, true]);
    expect(history.crashed(600_000).failed).toBe(false);
  });

  it('forgets after ten quiet minutes', () => {
    const history = new CrashHistory();
    history.crashed(0);
    history.crashed(1_000);
    expect(history.crashed(700_000)).toEqual({ delayMs: 1_000, failed: false });
    expect(history.restarts).toBe(3);
  });
});

import type { Container } from '@kubernel/sdk/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ProbeHost, Probes } from './probes.ts';

describe('probes', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));
  afterEach(() => void vi.useRealTimers());

  /** What happened, with the second at which it did. `answers` by probe command. */
  const host = (answers: Record<string, boolean>) => {
    const seen: string[] = [];
    const note = (text: string) => seen.push(`${Math.round(Date.now() / 1000)}s ${text}`);
    const probeHost: ProbeHost = {
      check: async (probe) => ({ ok: answers[probe.exec!.command![0]!]!, output: 'no' }),
      changed: () => note('changed'),
      unhealthy: (_, kind) => note(`${kind} failed once`),
      failed: (_, id, kind) => note(`${kind} of ${id} failed for good`),
    };
    return { seen, probes: new Probes(probeHost) };
  };
  const probe = (command: string, more = {}) => ({ exec: { command: [command] }, periodSeconds: 10, failureThreshold: 2, ...more });

  it('of readiness and liveness wait for the startup probe', async () => {
    const answers = { start: false, ready: true, live: false };
    const { seen, probes } = host(answers);
    const container = {
      name: 'c',
      startupProbe: probe('start', { periodSeconds: 1, failureThreshold: 30 }),
      readinessProbe: probe('ready'),
      livenessProbe: probe('live'),
    } as Container;
    probes.ensure(container, 'id', 0);
    await vi.advanceTimersByTimeAsync(2_500);
    expect([probes.isStarted(container, 'id'), probes.isReady(container, 'id')]).toEqual([false, false]);
    answers.start = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect([probes.isStarted(container, 'id'), probes.isReady(container, 'id')]).toEqual([true, true]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual([
      '0s Startup failed once',
      '1s Startup failed once',
      '2s Startup failed once',
      '3s changed',
      '3s Liveness failed once',
      '3s changed',
      '13s Liveness failed once',
      '13s Liveness of id failed for good',
    ]);
    probes.stop();
  });

  it('make a container unready after as many failures as its threshold says, and ready again', async () => {
    const answers = { ready: true };
    const { seen, probes } = host(answers);
    const container = { name: 'c', readinessProbe: probe('ready', { initialDelaySeconds: 5 }) } as Container;
    probes.ensure(container, 'id', 0);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(probes.isReady(container, 'id')).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(probes.isReady(container, 'id')).toBe(true);
    answers.ready = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(probes.isReady(container, 'id')).toBe(false);
    expect(seen).toEqual(['5s changed', '15s Readiness failed once', '25s Readiness failed once', '25s changed']);
    probes.stop();
  });

  it('of an adopted container begin where the kubelet before stopped', async () => {
    const { probes } = host({ ready: true, start: true });
    const container = { name: 'c', readinessProbe: probe('ready'), startupProbe: probe('start') } as Container;
    probes.ensure(container, 'id', 0, { started: true, ready: true });
    expect([probes.isStarted(container, 'id'), probes.isReady(container, 'id')]).toEqual([true, true]);
    probes.ensure(container, 'next', 0);
    expect([probes.isStarted(container, 'next'), probes.isReady(container, 'next')]).toEqual([false, false]);
    probes.stop();
  });
});

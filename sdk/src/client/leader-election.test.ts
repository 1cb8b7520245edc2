import { afterEach, expect, test, vi } from 'vitest';
import type { Lease } from '../api/kinds/index.ts';
import { StatusError } from '../errors.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { type LeadershipOptions, whileLeading } from './leader-election.ts';
import { LEASES } from './resources.ts';
import { createClient } from './rest-client.ts';

const QUICK = { namespace: 'x', name: 'l', leaseMs: 150, renewMs: 100, retryMs: 10 };
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** A candidate that notes when it leads. */
function candidate(api: FakeApi, identity: string, log: { push(line: string): unknown }, options: Partial<LeadershipOptions> = {}) {
  const stop = new AbortController();
  stops.push(stop);
  const done = whileLeading(
    createClient(api),
    { ...QUICK, identity, signal: stop.signal, ...options },
    async ({ signal, fencingToken }) => {
      log.push(`${identity} leads ${fencingToken}`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      log.push(`${identity} ends`);
    },
  );
  return { stop: () => stop.abort(), done };
}

const holder = (api: FakeApi): string | undefined => api.get<Lease>(LEASES, 'x/l')?.spec?.holderIdentity;

test('one of many candidates leads, and when it ends the next one follows at once, with a larger token', async () => {
  const api = new FakeApi();
  const log: string[] = [];
  const one = candidate(api, 'one', log);
  await vi.waitFor(() => expect(log).toEqual(['one leads 0']));
  candidate(api, 'two', log);
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(log).toEqual(['one leads 0']);
  one.stop();
  await one.done;
  await vi.waitFor(() => expect(log).toEqual(['one leads 0', 'one ends', 'two leads 1']), { interval: 2 });
  expect(api.get<Lease>(LEASES, 'x/l')?.spec).toMatchObject({ holderIdentity: 'two', leaseDurationSeconds: 1, leaseTransitions: 1 });
});

test('a leader that cannot renew stops before another may take over', async () => {
  const api = new FakeApi();
  const log: string[] = [];
  const times = new Map<string, number>();
  const timed = {
    push(line: string): void {
      times.set(line, performance.now());
      log.push(line);
    },
  };
  let cut = false;
  const cutOff = new FakeApi();
  // Both speak to one API; the way of the first one breaks.
  cutOff.request = async (request) => {
    if (cut) throw Object.assign(new Error('no way'), { code: 'ERR_API_UNAVAILABLE' });
    return api.request(request);
  };
  candidate(cutOff, 'one', timed);
  await vi.waitFor(() => expect(log).toEqual(['one leads 0']));
  candidate(api, 'two', timed);
  await new Promise((resolve) => setTimeout(resolve, 30));
  cut = true;
  await vi.waitFor(() => expect(log).toContain('two leads 1'), { interval: 2 });
  expect(times.get('one ends')).toBeLessThan(times.get('two leads 1') ?? 0);
});

test('a server that refuses for a while costs the leader nothing', async () => {
  const api = new FakeApi();
  const log: string[] = [];
  candidate(api, 'one', log);
  await vi.waitFor(() => expect(log).toEqual(['one leads 0']));
  let refusals = 3;
  api.onRequest = () => {
    if (refusals-- > 0) throw new StatusError(503, 'ServiceUnavailable', 'busy');
  };
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(log).toEqual(['one leads 0']);
  expect(holder(api)).toBe('one');
});

test('a lease that somebody took away by force is given up', async () => {
  const api = new FakeApi();
  const log: string[] = [];
  candidate(api, 'one', log);
  await vi.waitFor(() => expect(holder(api)).toBe('one'));
  const lease = api.get<Lease>(LEASES, 'x/l') as Lease;
  api.put<Lease>(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: 'usurper', leaseTransitions: 7 } });
  await vi.waitFor(() => expect(log).toEqual(['one leads 0', 'one ends']));
  // The usurper does not renew: after its time the first one leads again.
  await vi.waitFor(() => expect(log).toEqual(['one leads 0', 'one ends', 'one leads 8']));
});

test('work that fails is reported, and somebody leads again', async () => {
  const api = new FakeApi();
  const errors: string[] = [];
  const stop = new AbortController();
  stops.push(stop);
  let runs = 0;
  const options = { ...QUICK, identity: 'one', signal: stop.signal, onError: (error: unknown) => errors.push((error as Error).message) };
  void whileLeading(createClient(api), options, async () => {
    if (runs++ === 0) throw new Error('a defect');
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  });
  await vi.waitFor(() => expect(runs).toBe(2));
  expect(errors).toEqual(['a defect']);
});

import { type Client, createClient } from '@kubernel/sdk/client';
import { FakeApi } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { DEFAULT_ELECTION } from '../config/cluster-config.ts';
import { type LeaseClock, LeaseElector } from './lease.ts';

/** Time that stands still until it is told to pass. */
class FakeClock implements LeaseClock {
  #now = 1_000_000;
  #sleepers: { at: number; wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      next.wake();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets promises and the fake API's answers through. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

function setup() {
  const clock = new FakeClock();
  const api = new FakeApi();
  const transcript: string[] = [];
  const candidate = (name: string, client: Client = createClient(api)) => {
    const abort = new AbortController();
    const run = new LeaseElector(client, name, { ...DEFAULT_ELECTION, mode: 'lease' }, clock)
      .elected('controller/deployment', () => transcript.push(`${name} lost`), abort.signal)
      .then(
        () => transcript.push(`${name} leads`),
        () => transcript.push(`${name} gave up`),
      );
    return { abort, run };
  };
  return { clock, api, transcript, candidate };
}

describe('election by lease', () => {
  it('gives one of two the lease, and the other one follows when it is released', async () => {
    const { clock, transcript, candidate } = setup();
    const a = candidate('a');
    await clock.pass(0);
    candidate('b');
    await clock.pass(60_000);
    expect(transcript).toEqual(['a leads']);
    a.abort.abort();
    await clock.pass(5_000);
    expect(transcript).toEqual(['a leads', 'b leads']);
  });

  it('passes to another when its holder is silent for the lease’s duration, with a new fencing token', async () => {
    const { clock, api, transcript, candidate } = setup();
    let cut = false;
    const client = createClient(api);
    const dying = new Proxy(client, {
      get: (target, name) => (cut ? () => Promise.reject(new Error('cut off')) : Reflect.get(target, name).bind(target)),
    });
    candidate('a', dying);
    await clock.pass(0);
    candidate('b');
    await clock.pass(4_000);
    cut = true;
    await clock.pass(9_000);
    expect(transcript).toEqual(['a leads']);
    await clock.pass(3_000);
    // The holder steps down after 10 s without renewal, before anybody else may take the lease after 15 s.
    expect(transcript).toEqual(['a leads', 'a lost']);
    await clock.pass(10_000);
    expect(transcript).toEqual(['a leads', 'a lost', 'b leads']);
    const lease = await client.get<never>(
      { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' },
      'kubernel-controller-deployment',
      { namespace: 'kube-system' },
    );
    expect(lease).toMatchObject({ spec: { holderIdentity: 'b', leaseTransitions: 1 } });
  });

  it('is taken up again at once by the same identity after a restart', async () => {
    const { clock, api, transcript, candidate } = setup();
    const dead = new Proxy(createClient(api), {});
    candidate('a', dead);
    await clock.pass(0);
    transcript.length = 0;
    candidate('a');
    await clock.pass(0);
    expect(transcript).toEqual(['a leads']);
  });
});

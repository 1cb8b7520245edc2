import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { KubernelError, StatusError } from '../errors.ts';
import { Channel, callSignal } from './channel.ts';
import { remote } from './proxy.ts';

const open: Channel[] = [];

function pair(): [Channel, Channel] {
  const { port1, port2 } = new MessageChannel();
  const ends: [Channel, Channel] = [new Channel(port1), new Channel(port2)];
  open.push(...ends);
  return ends;
}

afterEach(() => {
  for (const channel of open.splice(0)) channel.close();
});

describe('a channel', () => {
  it('carries calls in both directions at once', async () => {
    const [left, right] = pair();
    right.serve('sum', { add: (a: number, b: number) => a + b });
    left.serve('echo', { say: async (text: string) => text });
    const [sum, said] = await Promise.all([left.call('sum', 'add', [2, 3]), right.call('echo', 'say', ['hi'])]);
    expect([sum, said]).toEqual([5, 'hi']);
  });

  it('brings errors back with their code, hint and Status', async () => {
    const [left, right] = pair();
    right.serve('bad', {
      coded: () => {
        throw new KubernelError('ERR_STORAGE_FULL', 'no room', { hint: 'free some' });
      },
      status: () => {
        throw new StatusError(404, 'NotFound', 'pods "x" not found');
      },
    });
    await expect(left.call('bad', 'coded', [])).rejects.toMatchObject({ code: 'ERR_STORAGE_FULL', hint: 'free some' });
    await expect(left.call('bad', 'status', [])).rejects.toMatchObject({ code: 'ERR_STATUS', status: { code: 404, reason: 'NotFound' } });
  });

  it('does not reach what is not a method of the service', async () => {
    const [left, right] = pair();
    right.serve('s', { value: 1 });
    for (const method of ['value', 'constructor', 'hasOwnProperty', 'missing']) {
      await expect(left.call('s', method, [])).rejects.toMatchObject({ code: 'ERR_NO_SUCH_METHOD' });
    }
    await expect(left.call('nobody', 'x', [])).rejects.toMatchObject({ code: 'ERR_NO_SUCH_SERVICE' });
  });

  it('lets a stream run only as far ahead as its credit', async () => {
    const [left, right] = pair();
    let made = 0;
    right.serve('s', {
      async *count() {
        for (;;) yield made++;
      },
    });
    const iterator = left.stream('s', 'count', [])[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made).toBeLessThanOrEqual(17);
    for (let i = 1; i < 100; i++) expect((await iterator.next()).value).toBe(i);
    await iterator.return?.();
  });

  it('ends the source of a stream whose reader leaves early', async () => {
    const [left, right] = pair();
    let ended = false;
    right.serve('s', {
      async *count() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          ended = true;
        }
      },
    });
    for await (const i of left.stream('s', 'count', [])) if (i === 3) break;
    await expect.poll(() => ended).toBe(true);
  });

  it('cancels a call at its callee', async () => {
    const [left, right] = pair();
    let seen: AbortSignal | undefined;
    right.serve('s', {
      wait: () => {
        seen = callSignal();
        return new Promise(() => {});
      },
    });
    const abort = new AbortController();
    const call = left.call('s', 'wait', [], { signal: abort.signal });
    await expect.poll(() => seen !== undefined).toBe(true);
    abort.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(() => seen?.aborted).toBe(true);
  });

  it('fails everything that waits when the other side goes away', async () => {
    const [left, right] = pair();
    right.serve('s', { wait: () => new Promise(() => {}) });
    const call = left.call('s', 'wait', []);
    right.close();
    await expect(call).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
    await expect(left.call('s', 'wait', [])).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
  });

  it('times out a call that gets no answer', async () => {
    const [left, right] = pair();
    right.serve('s', { wait: () => new Promise(() => {}) });
    await expect(left.call('s', 'wait', [], { timeoutMs: 10 })).rejects.toMatchObject({ code: 'ERR_CALL_TIMEOUT' });
  });
});

describe('a remote service', () => {
  it('works again after its provider came back', async () => {
    let current: Channel | undefined;
    const start = (): void => {
      const [near, far] = pair();
      far.serve('s', { ping: () => 'pong' });
      current = near;
    };
    const service = remote<{ ping(): Promise<string> }>('s', [], async () => {
      if (!current) throw new KubernelError('ERR_ROLE_UNAVAILABLE', 's is down');
      return current;
    });
    start();
    expect(await service.ping()).toBe('pong');
    (current as unknown as Channel).close();
    current = undefined;
    await expect(service.ping()).rejects.toMatchObject({ code: 'ERR_ROLE_UNAVAILABLE' });
    start();
    expect(await service.ping()).toBe('pong');
  });
});

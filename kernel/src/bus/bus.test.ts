import { type EventBatch, type HistoryBatch, KubernelError, type StoreMessage } from '@kubernel/sdk';
import { describe, expect, it } from 'vitest';
import { type Backlog, Bus, type BusOptions } from './bus.ts';
import { Ring } from './ring.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function batchOf(first: number, ...keys: string[]): EventBatch {
  return { revisions: keys.map((_, i) => first + i), keys, values: keys.map(() => 'v'.repeat(100)), previousRevisions: keys.map(() => 0) };
}

/** A log that the bus publishes from and that readers can be led through. */
class Log implements Backlog {
  readonly bus: Bus;
  readonly asked: string[] = [];
  compacted = 0;
  #events: { revision: number; key: string }[] = [];

  constructor(options: BusOptions = {}) {
    this.bus = new Bus(this, options);
    this.bus.reset(0);
  }

  write(...keys: string[]): void {
    const batch = batchOf(this.#events.length + 1, ...keys);
    for (const [i, key] of keys.entries()) this.#events.push({ revision: batch.revisions[i] as number, key });
    this.bus.publish(batch);
  }

  async ready() {}

  async *list(prefix: string, revision: number) {
    this.asked.push(`list ${prefix}@${revision}`);
    const keys = [
      ...new Set(this.#events.filter((one) => one.revision <= revision && one.key.startsWith(prefix)).map(({ key }) => key)),
    ].sort();
    yield { revision, keys, values: keys.map(() => ''), revisions: keys.map(() => 0) };
  }

  async *history(from: number, to: number, prefix: string): AsyncGenerator<HistoryBatch> {
    this.asked.push(`history ${from}-${to}`);
    if (from < this.compacted) throw new KubernelError('ERR_COMPACTED', 'gone');
    for (const { revision, key } of this.#events.slice(from, to)) {
      if (key.startsWith(prefix)) yield { ...batchOf(revision, key), previous: [null] };
    }
  }
}

function told(message: StoreMessage | undefined): string {
  if (!message) return 'end';
  switch (message.type) {
    case 'snapshot':
      return `have ${message.page.keys.join()}`;
    case 'events':
      return message.events.keys.map((key, i) => `${key}@${message.events.revisions[i]}`).join(' ');
    default:
      return `${message.type} ${message.revision}`;
  }
}

async function read(subscription: AsyncIterator<StoreMessage>, count: number): Promise<string[]> {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) lines.push(told((await subscription.next()).value as StoreMessage | undefined));
  return lines;
}

describe('a subscription', () => {
  it('starts with what is there and goes on with what comes, without a gap and nothing twice', async () => {
    const log = new Log();
    log.write('a', 'b');
    const subscription = log.bus.subscribe({ prefix: '' });
    expect(await read(subscription, 1)).toEqual(['have a,b']);
    log.write('c');
    expect(await read(subscription, 2)).toEqual(['synced 2', 'c@3']);
    const next = subscription.next();
    log.write('d');
    expect(told((await next).value)).toBe('d@4');
  });

  it('gets one message for all that it missed, and the very batch when it missed nothing', async () => {
    const log = new Log();
    const subscription = log.bus.subscribe({ prefix: '', from: 0 });
    const next = subscription.next();
    await settle();
    const batch = batchOf(1, 'a', 'b');
    log.bus.publish(batch);
    expect((await next).value).toEqual({ type: 'events', events: batch });
    expect(((await next).value as { events: EventBatch }).events).toBe(batch);
    log.bus.publish(batchOf(3, 'c'));
    log.bus.publish(batchOf(4, 'd', 'e'));
    expect(await read(subscription, 1)).toEqual(['c@3 d@4 e@5']);
  });

  it('of a prefix gets nothing else, and learns by a bookmark that there was nothing', async () => {
    const log = new Log();
    const subscription = log.bus.subscribe({ prefix: 'p/', from: 0 });
    log.write('p/1', 'q/1');
    log.write('q/2', 'p/2');
    expect(await read(subscription, 1)).toEqual(['p/1@1 p/2@4']);
    log.write('q/3');
    expect(await read(subscription, 1)).toEqual(['bookmark 5']);
  });

  it('gets bookmarks no more often than it was promised', async () => {
    let now = 1000;
    let ring: (() => void) | undefined;
    const clock = { now: () => now, after: (_ms: number, callback: () => void) => ((ring = callback), () => (ring = undefined)) };
    const log = new Log({ clock, bookmarkMs: 100 });
    const subscription = log.bus.subscribe({ prefix: 'p/', from: 0 });
    log.write('q/1');
    expect(await read(subscription, 1)).toEqual(['bookmark 1']);
    const next = subscription.next();
    now += 30;
    log.write('q/2');
    log.write('q/3');
    await settle();
    expect(ring).toBeDefined();
    now += 70;
    ring?.();
    expect(told((await next).value)).toBe('bookmark 3');
  });

  it('resumes from the ring, in the middle of a batch', async () => {
    const log = new Log();
    log.write('a', 'b', 'c');
    log.write('d');
    expect(await read(log.bus.subscribe({ prefix: '', from: 2 }), 1)).toEqual(['c@3 d@4']);
    expect(log.asked).toEqual([]);
  });

  it('resumes from history what the ring has dropped, then from the ring', async () => {
    const log = new Log({ ringBytes: 1500 });
    for (const key of 'abcdefgh') log.write(key);
    const subscription = log.bus.subscribe({ prefix: '', from: 2 });
    expect(await read(subscription, 6)).toEqual(['c@3', 'd@4', 'e@5', 'f@6', 'g@7', 'h@8']);
    log.write('i');
    expect(await read(subscription, 1)).toEqual(['i@9']);
    expect(log.asked).toEqual(['history 2-8']);
  });

  it('from outside the history is told to list', async () => {
    const log = new Log({ ringBytes: 500 });
    for (const key of 'abcdefgh') log.write(key);
    log.compacted = 4;
    await expect(log.bus.subscribe({ prefix: '', from: 2 }).next()).rejects.toMatchObject({ code: 'ERR_COMPACTED' });
  });

  it('from a revision that is yet to come waits for it', async () => {
    const log = new Log();
    const next = log.bus.subscribe({ prefix: '', from: 2 }).next();
    await settle();
    log.write('a');
    log.write('b');
    log.write('c');
    expect(told((await next).value)).toBe('c@3');
  });

  it('of a reader that is too slow ends, and holds up nobody', async () => {
    const log = new Log({ ringBytes: 2000 });
    const slow = log.bus.subscribe({ prefix: '', from: 0 });
    const quick = log.bus.subscribe({ prefix: '', from: 0 });
    log.write('a');
    expect(await read(slow, 1)).toEqual(['a@1']);
    expect(await read(quick, 1)).toEqual(['a@1']);
    for (let i = 0; i < 20; i++) {
      log.write(`k${i}`);
      expect(await read(quick, 1)).toEqual([`k${i}@${i + 2}`]);
    }
    await expect(slow.next()).rejects.toMatchObject({ code: 'ERR_SLOW_READER' });
    expect(await slow.next()).toEqual({ done: true, value: undefined });
    expect(log.bus.subscribers).toBe(1);
  });

  it('may have a tighter bound than the ring', async () => {
    const log = new Log();
    const subscription = log.bus.subscribe({ prefix: '', from: 0, maxLagBytes: 1000 });
    log.write('a');
    expect(await read(subscription, 1)).toEqual(['a@1']);
    for (let i = 0; i < 5; i++) log.write('b');
    await expect(subscription.next()).rejects.toMatchObject({ code: 'ERR_SLOW_READER' });
  });

  it('ends while it waits, when its reader leaves', async () => {
    const log = new Log();
    const subscription = log.bus.subscribe({ prefix: '', from: 0 });
    const next = subscription.next();
    await settle();
    await subscription.return();
    expect((await next).done).toBe(true);
    expect(log.bus.subscribers).toBe(0);
  });

  it('ends with an error when the log jumps', async () => {
    const log = new Log();
    log.write('a');
    const next = log.bus.subscribe({ prefix: '', from: 1 }).next();
    await settle();
    log.bus.reset(50);
    await expect(next).rejects.toMatchObject({ code: 'ERR_COMPACTED' });
  });

  it('one of a thousand readers at random paces sees all events in order or is told that it did not', async () => {
    const log = new Log({ ringBytes: 20_000 });
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const readers = Array.from({ length: 100 }, () => ({
      subscription: log.bus.subscribe({ prefix: '' }),
      seen: [] as number[],
      base: -1,
      over: false,
    }));
    for (let round = 0; round < 300; round++) {
      log.write(...Array.from({ length: random(4) + 1 }, () => `k${random(9)}`));
      for (const reader of readers) {
        if (reader.over || random(readers.indexOf(reader) + 1) > 2) continue;
        try {
          const { value } = await reader.subscription.next();
          if (value?.type === 'synced') reader.base = value.revision;
          if (value?.type === 'events') reader.seen.push(...value.events.revisions);
        } catch (error) {
          expect((error as KubernelError).code).toBe('ERR_SLOW_READER');
          reader.over = true;
        }
      }
    }
    for (const { seen, base } of readers) expect(seen).toEqual(seen.map((_, i) => base + 1 + i));
    expect(readers.filter(({ over }) => over).length).toBeGreaterThan(5);
    expect(readers.filter(({ over }) => !over).length).toBeGreaterThan(5);
  });
});

describe('the ring', () => {
  it('keeps to its bound, and keeps the newest batch whatever its size', () => {
    const ring = new Ring(10_000);
    for (let i = 1; i < 5000; i++) ring.push(batchOf(i, `k${i}`));
    expect(ring.bytes).toBeLessThanOrEqual(10_000);
    expect(ring.bytes).toBeGreaterThan(9000);
    expect(ring.at(ring.find(4990))?.revisions).toEqual([4991]);
    ring.push({ revisions: [5000], keys: ['big'], values: ['v'.repeat(50_000)], previousRevisions: [0] });
    expect(ring.floor).toBe(4999);
    expect(ring.at(ring.next - 1)?.keys).toEqual(['big']);
  });
});

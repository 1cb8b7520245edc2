import {
  type CommitResult,
  type HistoryBatch,
  KubernelError,
  type ListOptions,
  type ListPage,
  type Storage,
  type StorageStats,
  type StoreMessage,
  type WriteBatch,
} from '@kubernel/sdk';
import { StorageModel } from '@kubernel/sdk/tck';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import { Store, type StoreOptions } from './store.ts';

/** The model as a storage, with a gate before each commit and a list of what was asked. */
class ScriptedStorage implements Storage {
  readonly model: StorageModel;
  readonly commits: WriteBatch[] = [];
  readonly compactions: number[] = [];
  /** Commits wait for this. */
  gate: Promise<void> = Promise.resolve();
  /** Thrown by a commit: before it is made, or after it has become durable. */
  failBefore: (batch: WriteBatch) => Error | undefined = () => undefined;
  failAfter: Error | undefined;
  /** Thrown by everything else. */
  down: Error | undefined;
  historyMs: number | undefined;
  full = false;

  constructor(model = new StorageModel()) {
    this.model = model;
  }

  async commit(batch: WriteBatch): Promise<CommitResult> {
    this.commits.push(batch);
    await this.gate;
    const refusal = this.failBefore(batch);
    if (refusal) throw refusal;
    const result = this.model.commit(batch);
    if (this.failAfter) throw this.failAfter;
    return result;
  }
  async get(key: string, revision = this.model.revision) {
    return this.model.get(key, revision);
  }
  async *list({ prefix, revision = this.model.revision }: ListOptions): AsyncGenerator<ListPage> {
    const rows = this.model.list(prefix, revision);
    for (let i = 0; i === 0 || i < rows.length; i += 2) {
      const page = rows.slice(i, i + 2);
      yield {
        revision,
        keys: page.map((row) => row.key),
        values: page.map((row) => row.value),
        revisions: page.map((row) => row.revision),
      };
    }
  }
  async count({ prefix }: { prefix: string }) {
    return this.model.list(prefix, this.model.revision).length;
  }
  async *history(from: number, prefix = ''): AsyncGenerator<HistoryBatch> {
    if (from < this.model.compacted) throw new KubernelError('ERR_COMPACTED', 'gone');
    const events = this.model.history(from, prefix);
    if (events.length === 0) return;
    yield {
      revisions: events.map((one) => one.revision),
      keys: events.map((one) => one.key),
      values: events.map((one) => one.value),
      previous: events.map((one) => one.previous),
      previousRevisions: events.map((one) => one.previousRevision),
    };
  }
  async compact(revision: number) {
    this.compactions.push(revision);
    this.model.compacted = revision;
  }
  async revisionAt(time: number) {
    return Math.min(Math.floor(time / 1000), this.model.revision);
  }
  async stats(): Promise<StorageStats> {
    if (this.down) throw this.down;
    return {
      revision: this.model.revision,
      compacted: this.model.compacted,
      keys: 0,
      sizeBytes: 0,
      full: this.full,
      ...(this.historyMs === undefined ? {} : { historyMs: this.historyMs }),
    };
  }
}

class HandTurnedClock implements Clock {
  #now = 0;
  #timers: { at: number; callback(): void }[] = [];
  now = () => this.#now;
  after = (ms: number, callback: () => void) => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  };
  async turn(ms: number) {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = next.at;
      next.callback();
      await settle();
    }
    this.#now = until;
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const put = (key: string, value = key, expect_ = -1): WriteBatch => ({ keys: [key], values: [value], expects: [expect_] });
const remove = (key: string): WriteBatch => ({ keys: [key], values: [null], expects: [-1] });
const fullDisk = new KubernelError('ERR_STORAGE_FULL', 'no room');

function gate(): { promise: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

const stores: Store[] = [];
async function storeOver(storage: Storage, options: StoreOptions = {}): Promise<Store> {
  const store = new Store(options);
  stores.push(store);
  await store.attach(storage);
  return store;
}
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

/** Reads a subscription into a list of lines for as long as it goes. */
function follow(messages: AsyncIterable<StoreMessage>): string[] {
  const lines: string[] = [];
  void (async () => {
    try {
      for await (const message of messages) lines.push(...told(message));
      lines.push('end');
    } catch (error) {
      lines.push(String((error as KubernelError).code));
    }
  })();
  return lines;
}

function told(message: StoreMessage): string[] {
  switch (message.type) {
    case 'snapshot':
      return message.page.keys.map((key, i) => `have ${key}@${message.page.revisions[i]}`);
    case 'synced':
      return [`synced ${message.revision}`];
    case 'bookmark':
      return [`bookmark ${message.revision}`];
    case 'events':
      return message.events.keys.map(
        (key, i) => `${message.events.values[i] === null ? 'gone' : 'set'} ${key}@${message.events.revisions[i]}`,
      );
  }
}

describe('a commit', () => {
  it('goes at once when none is under way; what comes meanwhile goes together in the next', async () => {
    const storage = new ScriptedStorage();
    const store = await storeOver(storage);
    const first = gate();
    storage.gate = first.promise;
    const writes = ['a', 'b', 'c', 'd'].map((key) => store.commit(put(key)));
    await settle();
    expect(storage.commits.map(({ keys }) => keys)).toEqual([['a']]);
    first.open();
    expect((await Promise.all(writes)).map(({ revisions }) => revisions)).toEqual([[1], [2], [3], [4]]);
    expect(storage.commits.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('is shown to nobody before it is durable, and to the cell and the watchers before its writer hears of it', async () => {
    const storage = new ScriptedStorage();
    const store = await storeOver(storage);
    const cell = new BigInt64Array((await store.info()).revisionCell);
    const lines = follow(store.subscribe({ prefix: '', from: 0 }));
    const closed = gate();
    storage.gate = closed.promise;
    const write = store.commit(put('a'));
    await settle();
    expect([Number(cell[0]), lines]).toEqual([0, []]);
    closed.open();
    await write;
    expect(Number(cell[0])).toBe(1);
    await settle();
    expect(lines).toEqual(['set a@1']);
  });

  it('gives each caller its own part of the result, and watchers only what was written', async () => {
    const storage = new ScriptedStorage();
    const store = await storeOver(storage);
    await store.commit(put('a'));
    const lines = follow(store.subscribe({ prefix: '', from: 1 }));
    const closed = gate();
    storage.gate = closed.promise;
    const results = Promise.all([
      store.commit(put('z')),
      store.commit({ keys: ['a', 'b'], values: ['2', '2'], expects: [0, 0] }),
      store.commit(put('c', 'c', 9)),
      store.commit({ keys: ['a', 'a'], values: ['3', null], expects: [1, -1] }),
    ]);
    closed.open();
    expect(await results).toEqual([
      { revisions: [2], previousRevisions: [0] },
      { revisions: [-1, 3], previousRevisions: [0, 0] },
      { revisions: [0], previousRevisions: [0] },
      { revisions: [4, 5], previousRevisions: [1, 4] },
    ]);
    await settle();
    expect(lines).toEqual(['set z@2', 'set b@3', 'set a@4', 'gone a@5']);
  });

  it('that is malformed is refused by itself, and does not spoil the others', async () => {
    const store = await storeOver(new ScriptedStorage());
    const good = store.commit(put('a'));
    for (const bad of [
      { keys: ['x'], values: [], expects: [0] },
      { keys: [''], values: ['v'], expects: [0] },
      { keys: ['x'], values: ['\ud800'], expects: [0] },
      { keys: ['x'], values: ['v'], expects: [-2] },
      { keys: ['x'], values: [7 as unknown as string], expects: [0] },
    ]) {
      await expect(store.commit(bad)).rejects.toMatchObject({ code: 'ERR_STORAGE_INVALID' });
    }
    expect((await good).revisions).toEqual([1]);
  });

  it('of nothing is done at once', async () => {
    const storage = new ScriptedStorage();
    expect(await (await storeOver(storage)).commit({ keys: [], values: [], expects: [] })).toEqual({
      revisions: [],
      previousRevisions: [],
    });
    expect(storage.commits).toEqual([]);
  });

  it('is refused as busy when too much waits, and taken again later', async () => {
    const storage = new ScriptedStorage();
    const store = await storeOver(storage, { queue: { ops: 3 } });
    const closed = gate();
    storage.gate = closed.promise;
    const writes = ['a', 'b', 'c', 'd'].map((key) => store.commit(put(key)));
    await expect(store.commit(put('e'))).rejects.toMatchObject({ code: 'ERR_STORE_BUSY' });
    closed.open();
    await Promise.all(writes);
    expect((await store.commit(put('e'))).revisions).toEqual([5]);
  });

  it('is bounded in bytes; what does not fit goes with the one after', async () => {
    const storage = new ScriptedStorage();
    const store = await storeOver(storage, { queue: { commitBytes: 250 } });
    const closed = gate();
    storage.gate = closed.promise;
    const writes = ['a', 'b', 'c', 'd', 'e'].map((key) => store.commit(put(key, 'v'.repeat(key === 'd' ? 1000 : 50))));
    closed.open();
    await Promise.all(writes);
    expect(storage.commits.map(({ keys }) => keys.join())).toEqual(['a', 'b,c', 'd', 'e']);
  });
});

describe('a storage that goes away', () => {
  it('in mid-commit leaves the writer uncertain; if the batch became durable, watchers see it once and in its place', async () => {
    const storage = new ScriptedStorage();
    const health: (string | undefined)[] = [];
    const store = await storeOver(storage, { onHealth: (reason) => health.push(reason) });
    const lines = follow(store.subscribe({ prefix: '', from: 0 }));
    storage.failAfter = new KubernelError('ERR_CHANNEL_CLOSED', 'the thread died');
    const uncertain = store.commit(put('a'));
    const waiting = store.commit(put('b'));
    await expect(uncertain).rejects.toMatchObject({ code: 'ERR_STORE_INTERRUPTED' });
    storage.failAfter = undefined;
    expect((await waiting).revisions).toEqual([2]);
    await settle();
    expect(lines).toEqual(['set a@1', 'set b@2']);
    expect(health).toEqual(['the storage does not answer: the thread died', undefined]);
  });

  it('before a commit reached it costs nothing but time', async () => {
    const clock = new HandTurnedClock();
    const storage = new ScriptedStorage();
    const store = await storeOver(storage, { clock });
    const gone = new KubernelError('ERR_ROLE_UNAVAILABLE', 'restarting');
    storage.down = gone;
    storage.failBefore = () => gone;
    const write = store.commit(put('a'));
    await clock.turn(3000);
    expect(store.unhealthy).toContain('restarting');
    storage.down = undefined;
    storage.failBefore = () => undefined;
    await clock.turn(1000);
    expect((await write).revisions).toEqual([1]);
    expect(store.unhealthy).toBeUndefined();
  });

  it('for too long is named to writers and readers', async () => {
    const clock = new HandTurnedClock();
    const store = new Store({ clock, holdMs: 5000 });
    stores.push(store);
    const write = store.commit(put('a')).catch((error: KubernelError) => error.code);
    const read = store.get('a').catch((error: KubernelError) => error.code);
    await clock.turn(4999);
    const later = store.commit(put('b'));
    await clock.turn(1);
    expect([await write, await read]).toEqual(['ERR_STORE_UNAVAILABLE', 'ERR_STORE_UNAVAILABLE']);
    await store.attach(new ScriptedStorage());
    expect((await later).revisions).toEqual([1]);
  });

  it('and comes back with less than was acknowledged is not written to', async () => {
    const clock = new HandTurnedClock();
    const storage = new ScriptedStorage();
    const store = await storeOver(storage, { clock });
    await store.commit(put('a'));
    await store.commit(put('b'));
    storage.model.log.length = 1;
    await expect(store.commit(put('c'))).rejects.toMatchObject({ code: 'ERR_STORE_INTERRUPTED' });
    await clock.turn(2000);
    expect(storage.commits.length).toBe(3);
    expect(store.unhealthy).toContain('revision 1, but revision 2 was acknowledged');
  });
});

describe('another storage', () => {
  it('takes over between two writes: those that come meanwhile wait, watchers notice nothing', async () => {
    const first = new ScriptedStorage();
    const store = await storeOver(first);
    const lines = follow(store.subscribe({ prefix: '' }));
    await store.commit(put('a'));
    await store.pause();
    const waiting = store.commit(put('b'));
    await settle();
    expect(first.commits.length).toBe(1);
    const second = new ScriptedStorage(first.model);
    await store.attach(second);
    expect((await waiting).revisions).toEqual([2]);
    expect([first.commits.length, second.commits.length]).toEqual([1, 1]);
    await settle();
    expect(lines).toEqual(['synced 0', 'set a@1', 'set b@2']);
  });

  it('that lacks what was acknowledged is refused, and the first one goes on', async () => {
    const first = new ScriptedStorage();
    const store = await storeOver(first);
    await store.commit(put('a'));
    await expect(store.attach(new ScriptedStorage())).rejects.toMatchObject({ code: 'ERR_STORAGE_BEHIND' });
    expect((await store.commit(put('b'))).revisions).toEqual([2]);
    expect(first.commits.length).toBe(2);
  });

  it('a pause that is called off lets the writes go on', async () => {
    const store = await storeOver(new ScriptedStorage());
    await store.pause();
    const write = store.commit(put('a'));
    store.resume();
    expect((await write).revisions).toEqual([1]);
  });
});

describe('a full disk', () => {
  const refuseGrowth = (batch: WriteBatch) => (!batch.reserve && batch.values.some((value) => value !== null) ? fullDisk : undefined);

  it('refuses growth and lets deletes through, also those that came in the same moment', async () => {
    const storage = new ScriptedStorage();
    const store = await storeOver(storage);
    await store.commit({ keys: ['a', 'b', 'c'], values: ['1', '1', '1'], expects: [-1, -1, -1] });
    storage.failBefore = refuseGrowth;
    storage.full = true;
    await settle();
    const closed = gate();
    storage.gate = closed.promise;
    const opener = store.commit(remove('c'));
    const put1 = store.commit(put('d')).catch((error: KubernelError) => error.code);
    const delete1 = store.commit(remove('a'));
    const marked = store.commit({ ...put('b', 'deletionTimestamp'), reserve: true });
    const put2 = store.commit(put('e')).catch((error: KubernelError) => error.code);
    closed.open();
    await opener;
    expect([await put1, (await delete1).revisions, (await marked).revisions, await put2]).toEqual([
      'ERR_STORAGE_FULL',
      [5],
      [6],
      'ERR_STORAGE_FULL',
    ]);
    expect(store.unhealthy).toBe('the disk is full');
    expect(storage.compactions).toEqual([4]);
    expect((await store.commit(remove('b'))).revisions).toEqual([7]);
    expect(store.unhealthy).toBe('the disk is full');
    storage.failBefore = () => undefined;
    storage.full = false;
    expect((await store.commit(put('d'))).revisions).toEqual([8]);
    expect(store.unhealthy).toBeUndefined();
  });
});

describe('compaction', () => {
  it('notices on its rounds that the disk is no longer full', async () => {
    const clock = new HandTurnedClock();
    const storage = new ScriptedStorage();
    const store = await storeOver(storage, { clock, compactEveryMs: 1000 });
    storage.full = true;
    await clock.turn(1000);
    expect(store.unhealthy).toBe('the disk is full');
    storage.full = false;
    await clock.turn(1000);
    expect(store.unhealthy).toBeUndefined();
  });

  it('forgets what is older than the window, every so often', async () => {
    const clock = new HandTurnedClock();
    const storage = new ScriptedStorage();
    storage.historyMs = 2000;
    const store = await storeOver(storage, { clock, compactEveryMs: 1000 });
    for (let i = 0; i < 100; i++) await store.commit(put('a', `${i}`));
    await clock.turn(3500);
    expect(storage.compactions).toEqual([1]);
    await clock.turn(2000);
    expect(storage.compactions).toEqual([1, 2, 3]);
    expect((await store.info()).compacted).toBe(3);
  });
});

describe('a storage that other kernels write to', () => {
  it('feeds the bus with their writes and ours, in its order', async () => {
    const shared = new ScriptedStorage();
    const arrivals: (() => void)[] = [];
    const storage: Storage = Object.assign(Object.create(shared) as Storage, {
      stats: async () => ({ ...(await shared.stats()), shared: true }),
      async *watch(from: number) {
        for (let position = from; ; ) {
          for await (const batch of shared.history(position)) {
            yield batch;
            position = batch.revisions.at(-1) as number;
          }
          await new Promise<void>((resolve) => arrivals.push(resolve));
        }
      },
      commit: (batch: WriteBatch) => shared.commit(batch),
    });
    const store = await storeOver(storage);
    const cell = new BigInt64Array((await store.info()).revisionCell);
    const lines = follow(store.subscribe({ prefix: '' }));
    await settle();
    shared.model.commit(put('theirs'));
    expect((await store.commit(put('ours'))).revisions).toEqual([2]);
    expect(Number(cell[0])).toBe(2);
    expect(lines).toEqual(['synced 0']);
    for (const arrive of arrivals.splice(0)) arrive();
    await settle();
    expect(lines).toEqual(['synced 0', 'set theirs@1', 'set ours@2']);
  });
});

describe('a closed store', () => {
  it('ends its subscribers and refuses everything', async () => {
    const store = await storeOver(new ScriptedStorage());
    const lines = follow(store.subscribe({ prefix: '' }));
    await settle();
    await store.close();
    await settle();
    expect(lines).toEqual(['synced 0', 'ERR_STORE_CLOSED']);
    await expect(store.commit(put('a'))).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' });
  });
});

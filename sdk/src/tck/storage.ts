import assert from 'node:assert/strict';
import { join } from 'node:path';
import { CONFLICT_ABSENT, EXPECT_ABSENT, EXPECT_ANY, type Storage } from '../roles/storage.ts';
import type { Runner } from './runner.ts';
import type { StorageAdapter, StorageKitOptions } from './storage-adapter.ts';
import { crashKit } from './storage-crash.ts';
import { randomHistoryKit } from './storage-random.ts';
import { batch, events, inDirectory, pages, rejects, type Write } from './storage-reading.ts';

/**
 * The conformance kit of storage/v1: every driver runs it, and is one when it passes.
 *
 * @example
 * import { describe, it } from 'vitest';
 * storageKit({ describe, it }, { name: 'mine', open: (dir) => openMine(dir), durable: true });
 */
export function storageKit(runner: Runner, adapter: StorageAdapter): void {
  const { describe, it } = runner;
  const test = (name: string, body: (storage: Storage, dir: string) => Promise<void>, options: StorageKitOptions = {}): void =>
    it(name, () =>
      inDirectory(async (dir) => {
        const { storage, close } = await adapter.open(dir, options);
        try {
          await body(storage, dir);
        } finally {
          await close();
        }
      }),
    );

  describe(`storage/v1 by ${adapter.name}`, () => {
    describe('a write', () => {
      test('takes the next revision, whatever its key', async (storage) => {
        assert.deepEqual(await storage.commit(batch(['a', '1'], ['b', '2'])), { revisions: [1, 2], previousRevisions: [0, 0] });
        assert.deepEqual(await storage.commit(batch(['a', '3'])), { revisions: [3], previousRevisions: [1] });
        assert.equal((await storage.stats()).revision, 3);
      });

      test('that expects absence is refused with the revision that is there', async (storage) => {
        await storage.commit(batch(['a', '1']));
        assert.deepEqual(await storage.commit(batch(['a', '2', EXPECT_ABSENT])), { revisions: [-1], previousRevisions: [0] });
        assert.equal((await storage.get('a'))?.value, '1');
      });

      test('that expects a revision is made at that one and at no other', async (storage) => {
        await storage.commit(batch(['a', '1'], ['b', '1']));
        assert.deepEqual((await storage.commit(batch(['a', '2', 2], ['a', '3', 1], ['a', '4', 1]))).revisions, [-1, 3, -3]);
        assert.deepEqual((await storage.commit(batch(['c', '1', 1]))).revisions, [CONFLICT_ABSENT]);
        assert.deepEqual(await storage.get('a'), { key: 'a', value: '3', revision: 3 });
      });

      test('sees the earlier writes of its own batch', async (storage) => {
        const { revisions, previousRevisions } = await storage.commit(
          batch(['a', '1', EXPECT_ABSENT], ['a', '2', EXPECT_ABSENT], ['a', null, 1], ['a', '3', EXPECT_ABSENT], ['a', '4', 3]),
        );
        assert.deepEqual(revisions, [1, -1, 2, 3, 4]);
        assert.deepEqual(previousRevisions, [0, 0, 1, 0, 3]);
      });

      test('that deletes takes a revision of its own, and cannot delete what is not there', async (storage) => {
        await storage.commit(batch(['a', '1']));
        assert.deepEqual(await storage.commit(batch(['a', null, 7], ['a', null, 1], ['a', null], ['b', null, EXPECT_ABSENT])), {
          revisions: [-1, 2, CONFLICT_ABSENT, CONFLICT_ABSENT],
          previousRevisions: [0, 1, 0, 0],
        });
        assert.equal(await storage.get('a'), null);
        assert.deepEqual((await storage.commit(batch(['a', '2', EXPECT_ABSENT]))).revisions, [3]);
      });

      test('keeps any well-formed text, short, long and beyond ASCII', async (storage) => {
        const texts = ['', 'ü', '日本', '😀', 'a\0b', '\u2028\u007f', '"\\', 'x'.repeat(1_500_000)];
        await storage.commit(batch(...texts.map((text, i): Write => [`k/${i}`, text])));
        const found = await pages(storage.list({ prefix: 'k/' }));
        assert.deepEqual(found.values, texts);
      });

      test('with columns of different lengths is refused', async (storage) => {
        await rejects(storage.commit({ keys: ['a', 'b'], values: ['1'], expects: [EXPECT_ANY] }), 'ERR_STORAGE_INVALID');
        assert.equal((await storage.stats()).revision, 0);
      });

      test('of many at once goes through as one batch', async (storage) => {
        const many = 3000;
        const { revisions } = await storage.commit(batch(...Array.from({ length: many }, (_, i): Write => [`k/${i % 1000}`, `${i}`])));
        assert.deepEqual(
          revisions,
          Array.from({ length: many }, (_, i) => i + 1),
        );
        assert.equal((await storage.stats()).keys, 1000);
      });

      test('is made in the order of the calls', async (storage) => {
        const results = await Promise.all(Array.from({ length: 50 }, (_, i) => storage.commit(batch(['a', `${i}`]))));
        assert.deepEqual(
          results.map(({ revisions }) => revisions[0]),
          Array.from({ length: 50 }, (_, i) => i + 1),
        );
        assert.equal((await storage.get('a'))?.value, '49');
      });
    });

    describe('a read', () => {
      test('of an old revision sees what was there then', async (storage) => {
        await storage.commit(batch(['a', '1'], ['a', '2'], ['a', null], ['a', '4']));
        const seen = [];
        for (let revision = 1; revision <= 4; revision++) seen.push((await storage.get('a', revision))?.value ?? null);
        assert.deepEqual(seen, ['1', '2', null, '4']);
      });

      test('of a revision that is yet to come is refused', async (storage) => {
        await storage.commit(batch(['a', '1']));
        await rejects(storage.get('a', 2), 'ERR_FUTURE_REVISION');
        await rejects(pages(storage.list({ prefix: '', revision: 2 })), 'ERR_FUTURE_REVISION');
        await rejects(storage.count({ prefix: '', revision: 2 }), 'ERR_FUTURE_REVISION');
      });

      test('of a list gives the live keys under the prefix, in order, and no neighbours', async (storage) => {
        await storage.commit(
          batch(
            ['core/pods/b', '2'],
            ['core/pods', 'x'],
            ['core/pods/a', '1'],
            ['core/pods0', 'x'],
            ['core/podt/a', 'x'],
            ['core/pods/c', '3'],
          ),
        );
        await storage.commit(batch(['core/pods/a', null]));
        assert.deepEqual(await pages(storage.list({ prefix: 'core/pods/' })), {
          revision: 7,
          keys: ['core/pods/b', 'core/pods/c'],
          values: ['2', '3'],
          revisions: [1, 6],
        });
        assert.deepEqual((await pages(storage.list({ prefix: '' }))).keys.length, 5);
      });

      test('of an empty list still tells its revision', async (storage) => {
        assert.deepEqual(await pages(storage.list({ prefix: 'none/' })), { revision: 0, keys: [], values: [], revisions: [] });
        await storage.commit(batch(['a', '1']));
        assert.equal((await pages(storage.list({ prefix: 'none/' }))).revision, 1);
      });

      test('goes on after a key, up to a limit, at one revision', async (storage) => {
        await storage.commit(batch(...Array.from({ length: 10 }, (_, i): Write => [`p/${i}`, `${i}`])));
        await storage.commit(batch(['p/3', 'new'], ['p/35', 'new'], ['p/4', null]));
        const page = await pages(storage.list({ prefix: 'p/', after: 'p/2', limit: 3, revision: 10 }));
        assert.deepEqual(
          [page.keys, page.values],
          [
            ['p/3', 'p/4', 'p/5'],
            ['3', '4', '5'],
          ],
        );
        assert.deepEqual((await pages(storage.list({ prefix: 'p/', after: 'p/2', limit: 3 }))).keys, ['p/3', 'p/35', 'p/5']);
        assert.deepEqual((await pages(storage.list({ prefix: 'p/', after: 'a', limit: 1 }))).keys, ['p/0']);
        assert.deepEqual((await pages(storage.list({ prefix: 'p/', after: 'q' }))).keys, []);
      });

      test('of a long list comes in pages, all of one revision, whatever is written meanwhile', async (storage) => {
        const value = 'v'.repeat(10_000);
        await storage.commit(batch(...Array.from({ length: 500 }, (_, i): Write => [`p/${String(i).padStart(3, '0')}`, value])));
        const keys: string[] = [];
        let count = 0;
        for await (const page of storage.list({ prefix: 'p/' })) {
          assert.equal(page.revision, 500);
          assert.ok(page.values.join('').length < 3 << 20, 'a page of more than 3 MiB');
          keys.push(...page.keys);
          await storage.commit(batch([`p/${String(count++).padStart(3, '0')}`, null], ['p/499', null], [`p/new-${count}`, 'x']));
        }
        assert.ok(count > 1, 'all in one page');
        assert.equal(keys.length, 500);
      });

      test('counts the live keys under a prefix, after a key, at a revision', async (storage) => {
        await storage.commit(batch(['p/1', '1'], ['p/2', '1'], ['p/3', '1'], ['q/1', '1']));
        await storage.commit(batch(['p/2', null], ['p/4', '1']));
        assert.equal(await storage.count({ prefix: 'p/' }), 3);
        assert.equal(await storage.count({ prefix: 'p/', after: 'p/2' }), 2);
        assert.equal(await storage.count({ prefix: 'p/', revision: 4 }), 3);
        assert.equal(await storage.count({ prefix: 'p/', after: 'p/1', revision: 4 }), 2);
        assert.equal((await storage.stats()).keys, 4);
      });
    });

    describe('history', () => {
      test('has every event after a revision, with what it replaced', async (storage) => {
        await storage.commit(batch(['a', '1'], ['b', '1'], ['a', '2'], ['a', null], ['a', '3']));
        assert.deepEqual(await events(storage.history(1)), {
          revisions: [2, 3, 4, 5],
          keys: ['b', 'a', 'a', 'a'],
          values: ['1', '2', null, '3'],
          previous: [null, '1', '2', null],
          previousRevisions: [0, 1, 3, 0],
        });
        assert.deepEqual((await events(storage.history(5))).revisions, []);
      });

      test('can be narrowed to a prefix', async (storage) => {
        await storage.commit(batch(['a/1', '1'], ['b/1', '1'], ['a/2', '1'], ['a0', '1']));
        assert.deepEqual((await events(storage.history(0, 'a/'))).keys, ['a/1', 'a/2']);
      });

      test('finds the few events of a prefix in a long log', async (storage) => {
        await storage.commit(batch(['few/1', '1']));
        for (let i = 0; i < 30; i++) await storage.commit(batch(...Array.from({ length: 1000 }, (_, n): Write => [`many/${n}`, '1'])));
        await storage.commit(batch(['few/2', '1']));
        assert.deepEqual((await events(storage.history(0, 'few/'))).revisions, [1, 30_002]);
        assert.deepEqual((await events(storage.history(1, 'few/1'))).revisions, []);
      });

      test('of a long time comes in batches', async (storage) => {
        const value = 'v'.repeat(10_000);
        for (let i = 0; i < 4; i++) await storage.commit(batch(...Array.from({ length: 100 }, (_, n): Write => [`p/${n}`, value])));
        const revisions: number[] = [];
        let batches = 0;
        for await (const one of storage.history(0)) {
          batches++;
          revisions.push(...one.revisions);
        }
        assert.ok(batches > 1, 'all in one batch');
        assert.deepEqual(
          revisions,
          Array.from({ length: 400 }, (_, i) => i + 1),
        );
      });
    });

    describe('compaction', () => {
      test('forgets what was superseded, and keeps what lives', async (storage) => {
        await storage.commit(batch(['a', '1'], ['a', '2'], ['b', '1'], ['b', null], ['c', '1'], ['a', '3'], ['d', '1']));
        await storage.compact(5);
        assert.equal((await storage.stats()).compacted, 5);
        assert.deepEqual((await pages(storage.list({ prefix: '' }))).keys, ['a', 'c', 'd']);
        assert.deepEqual((await pages(storage.list({ prefix: '', revision: 5 }))).values, ['2', '1']);
        assert.equal(await storage.get('b', 5), null);
        assert.deepEqual(await events(storage.history(5)), {
          revisions: [6, 7],
          keys: ['a', 'd'],
          values: ['3', '1'],
          previous: ['2', null],
          previousRevisions: [2, 0],
        });
        assert.deepEqual((await storage.commit(batch(['b', '2', EXPECT_ABSENT], ['a', '4', 6]))).revisions, [8, 9]);
      });

      test('refuses to read what it forgot', async (storage) => {
        await storage.commit(batch(['a', '1'], ['a', '2'], ['a', '3']));
        await storage.compact(2);
        await rejects(storage.get('a', 1), 'ERR_COMPACTED');
        await rejects(pages(storage.list({ prefix: '', revision: 1 })), 'ERR_COMPACTED');
        await rejects(storage.count({ prefix: '', revision: 1 }), 'ERR_COMPACTED');
        await rejects(events(storage.history(1)), 'ERR_COMPACTED');
        assert.equal((await storage.get('a', 2))?.value, '2');
      });

      test('of the past and of the same revision again does nothing; of the future is refused', async (storage) => {
        await storage.commit(batch(['a', '1'], ['a', '2'], ['a', '3']));
        await storage.compact(2);
        await storage.compact(2);
        await storage.compact(1);
        assert.equal((await storage.stats()).compacted, 2);
        await rejects(storage.compact(4), 'ERR_FUTURE_REVISION');
      });

      test('of everything, deletions included, does not turn back the revision', async (storage) => {
        await storage.commit(batch(['a', '1'], ['b', '1'], ['a', null], ['b', null]));
        await storage.compact(4);
        assert.deepEqual(await events(storage.history(4)), { revisions: [], keys: [], values: [], previous: [], previousRevisions: [] });
        assert.deepEqual((await storage.commit(batch(['a', '2']))).revisions, [5]);
      });

      test('lets writes through while it works', async (storage) => {
        for (let i = 0; i < 10; i++) await storage.commit(batch(...Array.from({ length: 400 }, (_, n): Write => [`p/${n}`, `${i}`])));
        const compaction = storage.compact(4000);
        const writes = Array.from({ length: 20 }, (_, i) => storage.commit(batch([`p/${i}`, 'new', 3601 + i])));
        assert.deepEqual(
          (await Promise.all(writes)).map(({ revisions }) => revisions[0]),
          Array.from({ length: 20 }, (_, i) => 4001 + i),
        );
        await compaction;
        assert.equal(await storage.count({ prefix: '' }), 400);
        assert.equal((await events(storage.history(4000))).previous.filter((value) => value === '9').length, 20);
      });
    });

    if (adapter.clock) {
      let now = 1000;
      test(
        'the revision at a time is the newest one written by then',
        async (storage) => {
          now = 1000;
          await storage.commit(batch(['a', '1'], ['b', '1']));
          now = 2000;
          await storage.commit(batch(['a', '2']));
          now = 1500; // a clock that was set back
          await storage.commit(batch(['a', '3']));
          now = 5000;
          await storage.commit(batch(['a', '4']));
          const at = [];
          for (const time of [999, 1000, 1999, 2000, 4999, 5000, 9000]) at.push(await storage.revisionAt(time));
          assert.deepEqual(at, [0, 2, 2, 4, 4, 5, 5]);
          await storage.compact(4);
          assert.equal(await storage.revisionAt(4999), 4);
          assert.equal(await storage.revisionAt(5000), 5);
        },
        { now: () => now },
      );
    }

    if (adapter.limits) {
      test(
        'when full, refuses growth, deletes and reads, and takes writes again once there is room',
        async (storage) => {
          const value = 'v'.repeat(20_000);
          let stored = 0;
          const fill = async (): Promise<void> => {
            for (; ; stored++) await storage.commit(batch([`p/${stored}`, value]));
          };
          await rejects(fill(), 'ERR_STORAGE_FULL');
          assert.ok(stored > 20, `only ${stored} values fit`);
          assert.equal((await storage.stats()).full, true);
          const before = (await storage.stats()).revision;
          await rejects(storage.commit(batch(['p/0', null], ['q', value])), 'ERR_STORAGE_FULL');
          assert.equal((await storage.stats()).revision, before, 'half of a refused batch was written');
          assert.equal((await storage.get('p/0'))?.value, value);
          assert.equal((await storage.commit({ ...batch(['p/1', 'being deleted']), reserve: true })).revisions[0], before + 1);
          for (let i = 0; i < stored - 5; i++) assert.ok(((await storage.commit(batch([`p/${i}`, null]))).revisions[0] as number) > 0);
          await storage.compact((await storage.stats()).revision);
          await eventually(async () => {
            await storage.commit(batch(['q', value]));
          });
          assert.equal((await storage.stats()).full, false);
          assert.equal(await storage.count({ prefix: '' }), 6);
        },
        { maxSizeBytes: 2 << 20 },
      );
    }

    if (adapter.durable) {
      it('what was written is there after it was closed and opened again, history and all', () =>
        inDirectory(async (dir) => {
          const first = await adapter.open(dir);
          await first.storage.commit(batch(['a', '1'], ['b', '1'], ['a', '2'], ['b', null], ['c', '1']));
          await first.storage.compact(2);
          await first.close();
          const { storage, close } = await adapter.open(dir);
          try {
            const { revision, compacted, keys } = await storage.stats();
            assert.deepEqual([revision, compacted, keys], [5, 2, 2]);
            assert.deepEqual((await events(storage.history(2))).previous, ['1', '1', null]);
            await rejects(storage.get('a', 1), 'ERR_COMPACTED');
            assert.deepEqual((await storage.commit(batch(['a', '3', 3]))).revisions, [6]);
          } finally {
            await close();
          }
        }));

      it('when the newest revision was a deletion and all was compacted, the revision goes on from there', () =>
        inDirectory(async (dir) => {
          const first = await adapter.open(dir);
          await first.storage.commit(batch(['a', '1'], ['a', null]));
          await first.storage.compact(2);
          await first.close();
          const { storage, close } = await adapter.open(dir);
          try {
            assert.deepEqual((await storage.commit(batch(['a', '2', EXPECT_ABSENT]))).revisions, [3]);
          } finally {
            await close();
          }
        }));
    }

    it('a closed storage says so', () =>
      inDirectory(async (dir) => {
        const { storage, close } = await adapter.open(dir);
        await close();
        await rejects(storage.commit(batch(['a', '1'])), 'ERR_STORAGE_CLOSED');
        await rejects(storage.get('a'), 'ERR_STORAGE_CLOSED');
        await rejects(pages(storage.list({ prefix: '' })), 'ERR_STORAGE_CLOSED');
      }));

    const { openBackup } = adapter;
    if (openBackup) {
      test('a backup is one moment of the storage, while writes go on', async (storage, dir) => {
        const value = 'v'.repeat(5000);
        await storage.commit(batch(...Array.from({ length: 1000 }, (_, i): Write => [`p/${i}`, value])));
        const file = join(dir, 'copy');
        let done = false;
        const copying = storage.backup?.(file).finally(() => (done = true));
        for (let i = 0; !done; i++) {
          await storage.commit(batch([`p/${i % 1000}`, `${i}`], [`q/${i}`, 'x']));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await copying;
        const copy = await openBackup(file);
        try {
          const { revision } = await copy.storage.stats();
          assert.ok(revision >= 1000 && revision % 2 === 0, `the copy ends in mid-batch, at ${revision}`);
          assert.deepEqual(await pages(copy.storage.list({ prefix: '' })), await pages(storage.list({ prefix: '', revision })));
        } finally {
          await copy.close();
        }
      });
    }

    randomHistoryKit(runner, adapter);
    if (adapter.durable && adapter.crashModule) crashKit(runner, adapter, adapter.crashModule);
  });
}

async function eventually(attempt: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

import assert from 'node:assert/strict';
import { isCode } from '../errors.ts';
import { EXPECT_ABSENT, EXPECT_ANY, type WriteBatch } from '../roles/storage.ts';
import { Random } from './random.ts';
import type { Runner } from './runner.ts';
import type { OpenStorage, StorageAdapter } from './storage-adapter.ts';
import { StorageModel } from './storage-model.ts';
import { events, inDirectory, pages } from './storage-reading.ts';

const STEPS = 120;
const KEYS = ['a', 'a/b', 'a/b/c', 'a/c', 'a0', 'b', 'b/ü', 'b/z', 'c/1', 'c/10', 'c/2'];
const PREFIXES = ['', 'a', 'a/', 'a/b', 'b/', 'c/1', 'none'];

/**
 * Random histories, each compared with the model answer by answer. KIT_SEED repeats one. A failure names its seed, its
 * step, and the steps that led there.
 */
export function randomHistoryKit({ it }: Runner, adapter: StorageAdapter): void {
  const fixed = process.env['KIT_SEED'];
  const count = fixed ? 1 : (adapter.histories ?? 20);
  it(`${count} random histories are as the model has them`, async () => {
    const start = fixed ? Number(fixed) : Date.now() % 1_000_000;
    for (let seed = start; seed < start + count; seed++) await inDirectory((dir) => oneHistory(adapter, dir, seed));
  }, 60_000);
}

async function oneHistory(adapter: StorageAdapter, dir: string, seed: number): Promise<void> {
  const random = new Random(seed);
  const model = new StorageModel();
  const story: string[] = [];
  let open = await adapter.open(dir);
  try {
    for (let step = 0; step < STEPS; step++) {
      if (adapter.durable && random.chance(0.04)) {
        story.push('close and open');
        await open.close();
        open = await adapter.open(dir);
      } else await oneStep(open, model, random, story);
    }
    const { revision, compacted, keys } = await open.storage.stats();
    assert.deepEqual(
      { revision, compacted, keys },
      { revision: model.revision, compacted: model.compacted, keys: model.list('', model.revision).length },
    );
  } catch (error) {
    (error as Error).message += `\nKIT_SEED=${seed}; the last steps:\n${story.slice(-12).join('\n')}`;
    throw error;
  } finally {
    await open.close();
  }
}

async function oneStep({ storage }: OpenStorage, model: StorageModel, random: Random, story: string[]): Promise<void> {
  const prefix = random.pick(PREFIXES);
  const after = random.chance(0.4) ? random.pick(KEYS) : undefined;
  const revision = random.chance(0.5) ? random.below(model.revision + 1) : undefined;
  const at = revision ?? model.revision;
  const gone = at < model.compacted;
  const kind = random.below(10);
  if (kind < 4) {
    const writes = randomBatch(model, random);
    story.push(`commit ${JSON.stringify(writes)}`);
    assert.deepEqual(await storage.commit(writes), model.commit(writes));
  } else if (kind === 4) {
    const to = random.below(model.revision + 1);
    story.push(`compact ${to}`);
    await storage.compact(to);
    model.compacted = Math.max(model.compacted, to);
  } else if (kind === 5) {
    const key = random.pick(KEYS);
    story.push(`get ${key} at ${revision}`);
    await expect(
      gone,
      () => storage.get(key, revision),
      () => model.get(key, at),
    );
  } else if (kind === 6) {
    story.push(`count ${prefix} after ${after} at ${revision}`);
    await expect(
      gone,
      () => storage.count({ prefix, ...set({ after, revision }) }),
      () => model.list(prefix, at, after).length,
    );
  } else if (kind === 7) {
    const from = random.below(model.revision + 1);
    story.push(`history from ${from} of ${prefix}`);
    const columns = async (): Promise<unknown[]> => {
      const all = await events(storage.history(from, prefix));
      return all.revisions.map((one, i) => ({
        revision: one,
        key: all.keys[i],
        value: all.values[i],
        previous: all.previous[i],
        previousRevision: all.previousRevisions[i],
      }));
    };
    await expect(from < model.compacted, columns, () => model.history(from, prefix));
  } else {
    const limit = random.chance(0.5) ? random.below(5) + 1 : undefined;
    story.push(`list ${prefix} after ${after} at ${revision} limit ${limit}`);
    const rows = async (): Promise<unknown[]> => {
      const page = await pages(storage.list({ prefix, ...set({ after, revision, limit }) }));
      assert.equal(page.revision, at);
      return page.keys.map((key, i) => ({ key, value: page.values[i], revision: page.revisions[i] }));
    };
    await expect(gone, rows, () => model.list(prefix, at, after).slice(0, limit));
  }
}

function randomBatch(model: StorageModel, random: Random): WriteBatch {
  const batch: WriteBatch = { keys: [], values: [], expects: [] };
  for (let i = random.below(5); i >= 0; i--) {
    const key = random.pick(KEYS);
    const right = model.get(key, model.revision)?.revision ?? EXPECT_ABSENT;
    batch.keys.push(key);
    batch.values.push(random.chance(0.3) ? null : `${random.below(1000)}`);
    batch.expects.push(random.pick([EXPECT_ANY, EXPECT_ABSENT, right, right, random.below(model.revision + 3)]));
  }
  return batch;
}

async function expect<T>(gone: boolean, actual: () => Promise<T>, wanted: () => unknown): Promise<void> {
  if (gone) await assert.rejects(actual(), (error) => isCode(error, 'ERR_COMPACTED'));
  else assert.deepEqual(await actual(), wanted());
}

/** Leaves out what is undefined. */
function set<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Random } from './random.ts';
import type { Runner } from './runner.ts';
import type { StorageAdapter } from './storage-adapter.ts';
import { crashBatch } from './storage-crash-batch.ts';
import { type ModelEvent, StorageModel } from './storage-model.ts';
import { events, inDirectory, pages } from './storage-reading.ts';

/** This module runs as built (.js) or as it is written (.ts); the writer beside it likewise. */
const WRITER = fileURLToPath(
  import.meta.url.endsWith('.ts')
    ? new URL('./storage-crash-writer.ts', import.meta.url)
    : new URL('./storage-crash-writer.js', import.meta.url),
);

/**
 * A process that writes is killed in mid-commit, again and again on one directory. Afterwards the log must be that of
 * the first so many batches, each whole: all that were acknowledged, and none that had not begun.
 */
export function crashKit({ it }: Runner, adapter: StorageAdapter, module: URL): void {
  const times = adapter.crashes ?? 8;
  it(
    `killed ${times} times while it writes, it has lost nothing that was acknowledged, and no batch is there by half`,
    () =>
      inDirectory(async (dir) => {
        const seed = Number(process.env['KIT_SEED'] ?? Date.now() % 1_000_000);
        const random = new Random(seed);
        const model = new StorageModel();
        let next = 0;
        for (let round = 0; round < times; round++) {
          const { tried, acknowledged } = await writeAndDie(module, dir, seed, next, random.below(120));
          const { storage, close } = await adapter.open(dir);
          try {
            const { revisions, keys, values, previous, previousRevisions } = await events(storage.history(model.revision));
            const found = revisions.map(
              (revision, i): ModelEvent => ({
                revision,
                key: keys[i] as string,
                value: values[i] as string | null,
                previous: previous[i] as string | null,
                previousRevision: previousRevisions[i] as number,
              }),
            );
            const known = model.revision;
            while (model.revision < known + found.length || next <= acknowledged) {
              assert.ok(next <= tried, `KIT_SEED=${seed}: revisions of batches that were never tried`);
              model.commit(crashBatch(seed, next++));
            }
            assert.deepEqual(
              found,
              model.log.slice(known),
              `KIT_SEED=${seed}, round ${round}: acknowledged up to batch ${acknowledged}, tried ${tried}`,
            );
            assert.equal((await storage.stats()).revision, model.revision);
            const { keys: live, values: texts, revisions: at } = await pages(storage.list({ prefix: '' }));
            assert.deepEqual(
              live.map((key, i) => ({ key, value: texts[i], revision: at[i] })),
              model.list('', model.revision),
            );
          } finally {
            await close();
          }
        }
      }),
    120_000,
  );
}

async function writeAndDie(
  module: URL,
  dir: string,
  seed: number,
  first: number,
  lifeMs: number,
): Promise<{ tried: number; acknowledged: number }> {
  const child = spawn(process.execPath, [WRITER, module.href, dir, String(seed), String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let tried = first - 1;
  let acknowledged = first - 1;
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const number = Number(line.slice(2));
    if (line.startsWith('T')) tried = Math.max(tried, number);
    else acknowledged = Math.max(acknowledged, number);
    timer ??= setTimeout(() => child.kill('SIGKILL'), lifeMs);
  }
  clearTimeout(timer);
  const [, signal] = (await ended) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself; see its error above');
  return { tried, acknowledged };
}

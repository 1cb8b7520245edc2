import { writeSync } from 'node:fs';
import type { Storage } from '../roles/storage.ts';
import { crashBatch } from './storage-crash-batch.ts';

/**
 * The process that the crash tests kill: `node storage-crash-writer.js <module> <dir> <seed> <first batch>`.
 *
 * It commits one batch after the other, several at a time, and says so on its standard output, each line before it
 * goes on: `T 7` before batch 7 is handed over, `A 7` once it was acknowledged.
 */
const [module, dir, seed, first] = process.argv.slice(2) as [string, string, string, string];
const { open } = (await import(module)) as { open(dir: string): Promise<{ storage: Storage }> | { storage: Storage } };
const { storage } = await open(dir);
const UNDER_WAY = 3;

// What the test has seen already may be forgotten, which is one more thing to be killed at.
void storage.compact((await storage.stats()).revision);
let number = Number(first);
await Promise.all(
  Array.from({ length: UNDER_WAY }, async () => {
    for (;;) {
      const mine = number++;
      writeSync(1, `T ${mine}\n`);
      await storage.commit(crashBatch(Number(seed), mine));
      writeSync(1, `A ${mine}\n`);
      // A driver that works on this thread must not keep the loop from turning.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }),
);

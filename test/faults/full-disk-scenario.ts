import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteStorage } from '@kubernel/storage-sqlite';
import { Store } from '../../kernel/src/store/index.ts';

/**
 * Runs in a mount namespace of its own, on a small tmpfs that it fills, and prints as JSON what it met. The test that
 * starts it says what that should be.
 */
const dir = process.argv[2] as string;
const file = join(dir, 'data', 'store.db');
const VALUE = 'v'.repeat(10_000);
const answers: Record<string, unknown> = {};
let reports: boolean[] = [];

async function open(): Promise<{ store: Store; storage: SqliteStorage }> {
  reports = [];
  const storage = new SqliteStorage({ file, onFull: (full) => reports.push(full) });
  const store = new Store();
  await store.attach(storage);
  return { store, storage };
}

let { store, storage } = await open();
const acknowledged = new Map<string, string>();
let next = 0;

async function put(): Promise<void> {
  const key = `core/configmaps/default/${next++}`;
  await store.commit({ keys: [key], values: [VALUE], expects: [0] });
  acknowledged.set(key, VALUE);
}

/** The code that writing ends with, for as many writers as given. */
async function fill(writers: number): Promise<string> {
  const codes = await Promise.all(
    Array.from({ length: writers }, async () => {
      for (;;) {
        try {
          await put();
        } catch (error) {
          return (error as { code?: string }).code ?? String(error);
        }
      }
    }),
  );
  return [...new Set(codes)].join();
}

async function remove(count: number): Promise<number> {
  let removed = 0;
  for (const key of [...acknowledged.keys()].slice(0, count)) {
    const { revisions } = await store.commit({ keys: [key], values: [null], expects: [-1] });
    if ((revisions[0] as number) > 0 && acknowledged.delete(key)) removed++;
  }
  return removed;
}

/** Acknowledged values that are not there, and values that were never acknowledged. */
async function differences(): Promise<number> {
  const found = new Map<string, string>();
  for await (const page of store.list({ prefix: '' })) page.keys.forEach((key, i) => void found.set(key, page.values[i] as string));
  let wrong = 0;
  for (const [key, value] of acknowledged) if (found.get(key) !== value) wrong++;
  for (const key of found.keys()) if (!acknowledged.has(key)) wrong++;
  return wrong;
}

async function secondsUntilWritable(): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < 15_000) {
    try {
      await put();
      return (performance.now() - start) / 1000;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return Number.POSITIVE_INFINITY;
}

/** Takes all space that is left. */
function hog(): string {
  const path = join(dir, 'hog');
  const descriptor = openSync(path, 'w');
  for (const size of [1 << 20, 4096, 1]) {
    try {
      for (;;) writeSync(descriptor, Buffer.alloc(size, 1));
    } catch {}
  }
  closeSync(descriptor);
  return path;
}

// The database's own data fill the disk.
answers['own data: refusal'] = await fill(16);
answers['own data: stored'] = acknowledged.size;
answers['own data: lost or made up'] = await differences();
answers['own data: unhealthy'] = store.unhealthy;
answers['own data: deleted'] = await remove(2000);
answers['own data: recovers in seconds'] = Math.ceil(await secondsUntilWritable());
answers['own data: lost or made up, after'] = await differences();
answers['own data: health'] = store.unhealthy ?? 'well';
await remove(acknowledged.size);
await store.compact(0);

answers['own data: reports'] = reports.slice();

// Somebody else fills it, to the last byte.
for (let i = 0; i < 200; i++) await put();
const path = hog();
answers['hog: refusal'] = await fill(16);
answers['hog: deleted'] = await remove(80);
answers['hog: marked for deletion'] = await store
  .commit({ keys: [[...acknowledged.keys()][0] as string], values: [VALUE], expects: [-1], reserve: true })
  .then(({ revisions }) => (revisions[0] as number) > 0);
answers['hog: still refuses'] = await fill(1);
answers['hog: lost or made up'] = await differences();

// It stays full over a restart.
await store.close();
storage.close();
({ store, storage } = await open());
answers['restart: lost or made up'] = await differences();
answers['restart: refusal'] = await fill(1);
answers['restart: deleted'] = await remove(10);

// Half of the space comes back, and then the rest.
const descriptor = openSync(path, 'r+');
ftruncateSync(descriptor, 1 << 20);
closeSync(descriptor);
answers['room: recovers in seconds'] = Math.ceil(await secondsUntilWritable());
rmSync(path);
answers['room: lost or made up'] = await differences();
answers['room: full'] = (await storage.stats()).full;
answers['restart: reports'] = reports;
await store.close();
storage.close();
process.stdout.write(JSON.stringify(answers));

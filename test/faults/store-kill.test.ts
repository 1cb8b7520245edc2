import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SqliteStorage } from '@kubernel/storage-sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Store } from '../../kernel/src/store/index.ts';

const KILLS = 20;
let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'store-kill-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Told {
  /** revision -> key, value (null for a deletion), of acknowledged writes. */
  acknowledged: Map<number, [key: string, value: string | null]>;
  /** revision -> key, of events that the watcher saw. */
  watched: Map<number, string>;
}

/** Lets the writer run for so long after its first word, kills it, and returns what it was told until then. */
async function writeAndDie(file: string, run: number, lifeMs: number): Promise<Told> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./store-writer.ts', import.meta.url)), file, String(run)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const told: Told = { acknowledged: new Map(), watched: new Map() };
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    timer ??= setTimeout(() => child.kill('SIGKILL'), lifeMs);
    const [kind, revision, key, ...value] = line.split(' ') as [string, string, string, ...string[]];
    if (kind === 'W') told.watched.set(Number(revision), key);
    else told.acknowledged.set(Number(revision), [key, kind === 'A' ? value.join(' ') : null]);
  }
  clearTimeout(timer);
  expect((await ended)[1]).toBe('SIGKILL');
  return told;
}

describe('kill -9 under writes', () => {
  it(`${KILLS} times: every acknowledged write is there, and no watcher saw one that is not`, async () => {
    const file = join(dir, 'store.db');
    let known = 0;
    let acknowledged = 0;
    for (let run = 0; run < KILLS; run++) {
      const told = await writeAndDie(file, run, 20 + ((run * 37) % 150));
      const storage = new SqliteStorage({ file, reserveBytes: 1 << 20 });
      const store = new Store();
      try {
        await store.attach(storage);
        const log = new Map<number, [string, string | null]>();
        for await (const { revisions, keys, values } of store.history(known)) {
          for (const [i, revision] of revisions.entries()) log.set(revision, [keys[i] as string, values[i] as string | null]);
        }
        expect([...log.keys()]).toEqual(Array.from({ length: log.size }, (_, i) => known + 1 + i));
        for (const [revision, write] of told.acknowledged) expect(log.get(revision)).toEqual(write);
        for (const [revision, key] of told.watched) expect(log.get(revision)?.[0]).toBe(key);
        known += log.size;
        acknowledged += told.acknowledged.size;
        expect((await store.info()).revision).toBe(known);
      } finally {
        await store.close();
        storage.close();
      }
    }
    expect(acknowledged).toBeGreaterThan(KILLS * 50);
  }, 120_000);
});

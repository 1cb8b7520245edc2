import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from './open.ts';
import { type SqliteOptions, SqliteStorage } from './sqlite-storage.ts';

let dir: string;
let file: string;
const opened: SqliteStorage[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sqlite-open-'));
  file = join(dir, 'deep', 'store.db');
});
afterEach(() => {
  for (const storage of opened.splice(0)) storage.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(options: Partial<SqliteOptions> = {}): SqliteStorage {
  const storage = new SqliteStorage({ file, reserveBytes: 0, ...options });
  opened.push(storage);
  return storage;
}

const put = (key: string, value: string) => ({ keys: [key], values: [value], expects: [-1] });

/** A process of its own that opens the file, says so, and does what it is told until it is killed. */
async function otherProcess(script: string) {
  const code = `import { SqliteStorage } from ${JSON.stringify(new URL('./sqlite-storage.ts', import.meta.url).href)};
    const storage = new SqliteStorage({ file: process.argv[1], reserveBytes: 0 });
    ${script}
    process.stdout.write('ready\\n');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  };
}

describe('opening', () => {
  it('makes the directory, and files that only their owner can read', async () => {
    const storage = open({ reserveBytes: 1 << 20 });
    await storage.commit(put('a', '1'));
    for (const name of [file, `${file}-wal`, `${file}.reserve`]) expect([name, statSync(name).mode & 0o777]).toEqual([name, 0o600]);
    expect(existsSync(`${file}-shm`)).toBe(false);
  });

  it('is refused while another process has the file, and works once that one was killed', async () => {
    const kill = await otherProcess("await storage.commit({ keys: ['a'], values: ['theirs'], expects: [-1] });");
    try {
      expect(() => open()).toThrowError(expect.objectContaining({ code: 'ERR_STORAGE_LOCKED' }));
    } finally {
      await kill();
    }
    expect((await open().get('a'))?.value).toBe('theirs');
  });

  it('is refused while this process has the file open elsewhere', async () => {
    const storage = open();
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'ERR_STORAGE_LOCKED' }));
    expect((await storage.commit(put('a', '1'))).revisions).toEqual([1]);
  });

  it('names a file of a newer release, and leaves it as it is', () => {
    open().close();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => open()).toThrowError(
      expect.objectContaining({ code: 'ERR_STORAGE_SCHEMA_NEWER', message: expect.stringContaining('99') }),
    );
  });

  it('refuses a database of another program', () => {
    file = join(dir, 'other.db');
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE t (a)');
    db.close();
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'ERR_STORAGE_FOREIGN' }));
  });

  it('refuses what is no database', () => {
    file = join(dir, 'text');
    writeFileSync(file, 'not a database, but long enough to be taken for one'.repeat(100));
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'ERR_STORAGE_CORRUPT' }));
  });

  it('after an unclean end checks the file, and names damage that it would not have met yet', async () => {
    const storage = open();
    for (let i = 0; i < 200; i++) await storage.commit(put(`k${i}`, 'v'.repeat(5000)));
    storage.close();
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(8192, 0xff), 0, 8192, 60 * 8192);
    closeSync(descriptor);
    open().close();
    writeFileSync(`${file}-wal`, 'left behind');
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'ERR_STORAGE_CORRUPT', hint: expect.stringContaining('snapshot') }));
    expect(() => open({ integrityCheck: 'always' })).toThrowError(expect.objectContaining({ code: 'ERR_STORAGE_CORRUPT' }));
  });

  it('asks SQLite for an fsync with each commit, for the file alone, and for pages that values of 2 KB fit into', () => {
    const db = openDatabase({ file, cacheBytes: 1 << 20, integrityCheck: 'never' });
    const value = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(['synchronous', 'journal_mode', 'locking_mode', 'page_size', 'auto_vacuum'].map(value)).toEqual([
      2,
      'wal',
      'exclusive',
      8192,
      2,
    ]);
    db.close();
  });
});

describe('the file', () => {
  it('shrinks again after most of it was deleted and compacted', async () => {
    const storage = open();
    for (let i = 0; i < 40; i++) {
      const keys = Array.from({ length: 100 }, (_, n) => `k/${i}/${n}`);
      await storage.commit({ keys, values: keys.map(() => 'v'.repeat(5000)), expects: keys.map(() => 0) });
    }
    storage.close();
    const before = statSync(file).size;
    const again = open();
    for (let i = 0; i < 40; i++) {
      const keys = Array.from({ length: 100 }, (_, n) => `k/${i}/${n}`);
      await again.commit({ keys, values: keys.map(() => null), expects: keys.map(() => -1) });
    }
    await again.compact((await again.stats()).revision);
    again.close();
    expect(statSync(file).size).toBeLessThan(before / 3);
  });

  it('goes on with its write-ahead log of bounded length under writes that never pause', async () => {
    const storage = open();
    for (let i = 0; i < 2000; i++) await storage.commit(put(`k/${i % 10}`, 'v'.repeat(8000)));
    expect(statSync(`${file}-wal`).size).toBeLessThan(6 << 20);
  });
});

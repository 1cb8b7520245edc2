import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const possible = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
const reason = possible ? '' : ' (skipped: prlimit is not installed)';

/**
 * A write that fails, and is no full disk: the process may not write files beyond 8 MiB, until its limit is raised.
 * It writes until it is refused, says what it met and reads everything back, on each line that it is sent.
 */
const SCRIPT = `
  import { createInterface } from 'node:readline';
  import { SqliteStorage } from ${JSON.stringify(new URL('./sqlite-storage.ts', import.meta.url).href)};
  process.on('SIGXFSZ', () => {});
  const storage = new SqliteStorage({ file: process.argv[1], reserveBytes: 0 });
  let written = 0;
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    let code = 'written';
    const until = written + Number(line);
    while (written < until && code === 'written') {
      await storage.commit({ keys: ['k/' + written], values: ['v'.repeat(20000)], expects: [0] }).then(() => written++, (error) => (code = error.code));
    }
    console.log(JSON.stringify([code, written, await storage.count({ prefix: '' }).catch((error) => error.code)]));
  }
  storage.close();`;

it.skipIf(!possible)(`after an error of the disk it opens the file anew and goes on, with all that was acknowledged${reason}`, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sqlite-broken-'));
  const child = spawn(
    'prlimit',
    ['--fsize=8388608:unlimited', process.execPath, '--input-type=module-typescript', '-e', SCRIPT, join(dir, 'store.db')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const tell = async (count: number): Promise<[code: string, written: number, found: number]> => {
      child.stdin.write(`${count}\n`);
      return JSON.parse((await lines.next()).value as string) as [string, number, number];
    };
    expect((await lines.next()).value).toBe('ready');
    const [code, written, found] = await tell(2000);
    expect(code).toBe('ERR_STORAGE_IO');
    expect(written).toBeGreaterThan(100);
    // The refused batch may be there as a whole.
    expect([written, written + 1]).toContain(found);
    expect(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']).status).toBe(0);
    const [afterwards, total, foundThen] = await tell(500);
    expect([afterwards, foundThen - total]).toEqual(['written', found - written]);
    child.stdin.end();
    expect((await once(child, 'close'))[0]).toBe(0);
  } finally {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
});

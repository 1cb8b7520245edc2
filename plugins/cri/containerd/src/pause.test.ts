import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { pauseArchive, pauseBinary } from './pause.ts';

describe('the pause program', () => {
  it.runIf(process.platform === 'linux' && process.arch === 'x64')('starts, and waits without using the processor', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kubernel-pause-'));
    const file = join(dir, 'pause');
    writeFileSync(file, pauseBinary('amd64'), { mode: 0o755 });
    const child = spawn(file, { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
    expect(await Promise.race([ended, sleep(200, 'still there')])).toBe('still there');
    child.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
    rmSync(dir, { recursive: true });
  });

  it('is the same image each time, and there is one for arm64', async () => {
    expect((await pauseArchive('arm64')).equals(await pauseArchive('arm64'))).toBe(true);
    expect(() => pauseBinary('vax')).toThrow('no pause program for vax');
  });
});

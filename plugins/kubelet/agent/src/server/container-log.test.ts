import { appendFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CriRuntime } from '@kubernel/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerLog, type LogOptions } from './container-log.ts';
import { rotateLog } from './log-rotation.ts';

const LINES = [
  '2026-01-01T00:00:01.000000001Z stdout F one',
  '2026-01-01T00:00:02Z stderr F two',
  '2026-01-01T00:00:03Z stdout P thr',
  '2026-01-01T00:00:03Z stdout F ee',
  '2026-01-01T00:00:04Z stdout F ',
];

describe("a container's log", () => {
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kubernel-log-'));
    file = join(dir, '0.log');
    writeFileSync(file, `${LINES.join('\n')}\n`);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const ALL: LogOptions = {
    follow: false,
    tailLines: undefined,
    limitBytes: undefined,
    since: undefined,
    timestamps: false,
    stream: undefined,
  };
  const read = async (options: Partial<LogOptions> = {}) => {
    let text = '';
    for await (const chunk of containerLog(file, { ...ALL, ...options }, () => true, new AbortController().signal))
      text += chunk.toString();
    return text;
  };

  it('is what the container wrote: long lines joined, empty ones kept', async () => {
    expect(await read()).toBe('one\ntwo\nthree\n\n');
    expect(await read({ timestamps: true })).toMatch(/^2026-01-01T00:00:01.000000001Z one\n2026-01-01T00:00:02Z two\n/);
    expect(await read({ stream: 'stderr' })).toBe('two\n');
  });

  it('can be cut to its end, its length, its time', async () => {
    expect(await read({ tailLines: 1 })).toBe('\n');
    expect(await read({ tailLines: 0 })).toBe('');
    expect(await read({ tailLines: 100 })).toBe('one\ntwo\nthree\n\n');
    expect(await read({ limitBytes: 6 })).toBe('one\ntw');
    expect(await read({ since: Date.parse('2026-01-01T00:00:03Z') })).toBe('three\n\n');
  });

  it('finds the last lines in a file of many blocks', async () => {
    writeFileSync(file, Array.from({ length: 20_000 }, (_, i) => `2026-01-01T00:00:01Z stdout F line ${i}\n`).join(''));
    expect((await read({ tailLines: 3000 })).split('\n').slice(0, 2)).toEqual(['line 17000', 'line 17001']);
  });

  it('is followed through a rotation until the container ends', async () => {
    let ended = false;
    let text = '';
    const following = (async () => {
      for await (const chunk of containerLog(file, { ...ALL, follow: true, tailLines: 0 }, () => ended, new AbortController().signal))
        text += chunk.toString();
    })();
    await sleep(50);
    appendFileSync(file, '2026-01-01T00:00:05Z stdout F before\n');
    await expect.poll(() => text).toBe('before\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, '2026-01-01T00:00:06Z stdout F after\n');
    await expect.poll(() => text, { timeout: 3_000 }).toBe('before\nafter\n');
    appendFileSync(file, '2026-01-01T00:00:07Z stdout F last\n');
    ended = true;
    await following;
    expect(text).toBe('before\nafter\nlast\n');
  });

  it('is rotated when it is large, keeps so many files, and compresses the old ones', async () => {
    const cri = { reopenContainerLog: async () => writeFileSync(file, 'x'.repeat(200)) } as unknown as CriRuntime;
    const limits = { maxSizeBytes: 100, maxFiles: 3 };
    for (let i = 0; i < 4; i++) expect(await rotateLog(cri, 'id', file, limits, new Date(Date.UTC(2026, 0, 1, 0, 0, i)))).toBe(true);
    expect(readdirSync(dir).sort()).toEqual(['0.log', '0.log.20260101-000002.gz', '0.log.20260101-000003']);
    const failing = { reopenContainerLog: async () => Promise.reject(new Error('no')) } as unknown as CriRuntime;
    await expect(rotateLog(failing, 'id', file, limits)).rejects.toThrow('no');
    expect(existsSync(file)).toBe(true);
  });
});

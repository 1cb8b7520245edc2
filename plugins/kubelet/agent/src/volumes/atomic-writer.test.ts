import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Payload, writeAtomically } from './atomic-writer.ts';
import { subPathSource } from './sub-path.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubernel-volume-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const files = (entries: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
const visible = () =>
  readdirSync(dir)
    .filter((name) => !name.startsWith('..'))
    .sort();

describe('a volume that shows API objects', () => {
  it('shows files through ..data, so that all change by one rename', async () => {
    expect(await writeAtomically(dir, files({ a: '1', 'sub/b': '2' }, 0o400))).toBe(true);
    expect(readlinkSync(join(dir, 'a'))).toBe('..data/a');
    expect(readFileSync(join(dir, 'sub/b'), 'utf8')).toBe('2');
    expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o400);
    const before = readlinkSync(join(dir, '..data'));
    const opened = openSync(join(dir, 'a'), 'r');
    expect(await writeAtomically(dir, files({ a: '3', c: '4' }))).toBe(true);
    expect(readlinkSync(join(dir, '..data'))).not.toBe(before);
    expect(visible()).toEqual(['a', 'c']);
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('3');
    expect(readFileSync(opened, 'utf8')).toBe('1');
    expect(readdirSync(dir).filter((name) => name.startsWith('..2'))).toHaveLength(1);
  });

  it('is left alone when nothing changed', async () => {
    await writeAtomically(dir, files({ a: '1' }));
    const before = lstatSync(join(dir, '..data')).ino;
    expect(await writeAtomically(dir, files({ a: '1' }))).toBe(false);
    expect(lstatSync(join(dir, '..data')).ino).toBe(before);
  });
});

describe('subPath', () => {
  it('is made where it is missing, and may be a file that an atomic writer shows', async () => {
    expect(await subPathSource(dir, 'deep/er', false)).toBe(join(dir, 'deep/er'));
    await writeAtomically(dir, files({ conf: 'x' }));
    expect(readFileSync(await subPathSource(dir, 'conf', true), 'utf8')).toBe('x');
  });

  it('may not lead out of its volume by a link, nor be made through one', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'kubernel-outside-'));
    writeFileSync(join(outside, 'secret'), '');
    mkdirSync(join(dir, 'real'));
    symlinkSync(outside, join(dir, 'link'));
    await expect(subPathSource(dir, 'link/secret', false)).rejects.toThrow('it leads out of its volume');
    await expect(subPathSource(dir, 'link/new', false)).rejects.toThrow('it leads out of its volume');
    await expect(subPathSource(dir, 'missing', true)).rejects.toThrow('it does not exist');
    expect(readdirSync(outside)).toEqual(['secret']);
    rmSync(outside, { recursive: true });
  });
});

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PluginContext, Storage } from '@kubernel/sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import plugin, { type SqliteConfig } from './index.ts';

let dir: string;
const undo: (() => unknown)[] = [];
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'sqlite-plugin-'))));
afterEach(() => {
  for (const one of undo.splice(0).reverse()) one();
  rmSync(dir, { recursive: true, force: true });
});

function start(config: SqliteConfig): Promise<Storage> | Storage {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const context = { id: 'storage/sqlite', config, pluginDir: dir, log, report() {}, defer: (one: () => unknown) => undo.push(one) };
  return plugin.hooks.start(context as unknown as PluginContext<SqliteConfig>) as Storage;
}

it('keeps its file in its own directory, closes it when the plugin stops, and finds everything again', async () => {
  const storage = await start({});
  await storage.commit({ keys: ['a'], values: ['1'], expects: [0] });
  expect(statSync(join(dir, 'store.db')).isFile()).toBe(true);
  for (const one of undo.splice(0)) one();
  await expect(storage.get('a')).rejects.toMatchObject({ code: 'ERR_STORAGE_CLOSED' });
  expect((await (await start({ historyMs: 5000 })).get('a'))?.value).toBe('1');
});

it('tells the kernel how much history it is configured to keep', async () => {
  expect((await (await start({ historyMs: 5000, file: 'sub/other.db' })).stats()).historyMs).toBe(5000);
  expect(statSync(join(dir, 'sub', 'other.db')).isFile()).toBe(true);
});

it('has a manifest and a config schema that fit the code', () => {
  const read = (file: string) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
  expect(read('package.json').kubernel.provides[0]).toMatchObject({ role: plugin.role, name: plugin.name });
  const options: (keyof SqliteConfig)[] = ['file', 'historyMs', 'maxSizeBytes', 'reserveBytes', 'cacheBytes', 'integrityCheck'];
  expect(Object.keys(read('config.schema.json').properties)).toEqual(options);
});

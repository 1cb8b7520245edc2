import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterDocument, createKernel, type Kernel } from '@kubernel/kernel';
import type { Store } from '@kubernel/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CRASHY = join(import.meta.dirname, '..', 'fixtures', 'plugins', 'crashy');

let dir: string;
let kernel: (Kernel & AsyncDisposable) | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubernel-host-'));
});

afterEach(async () => {
  await kernel?.stop();
  kernel = undefined;
  await rm(dir, { recursive: true, force: true });
});

type PluginEntry = ClusterDocument['spec']['plugins'][string];

function cluster(plugins: Record<string, PluginEntry>, isolates: ClusterDocument['spec']['isolates'] = {}): ClusterDocument {
  return {
    apiVersion: 'kubernel.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'test' },
    spec: { isolates, plugins: { 'storage/memory': {}, ...plugins } },
  };
}

const crashy = (config: Record<string, unknown>, more: PluginEntry = {}): PluginEntry => ({ package: CRASHY, config, ...more });

async function start(document: ClusterDocument): Promise<Kernel> {
  kernel = await createKernel({ config: document, dataDir: join(dir, 'data') });
  return kernel;
}

function stateOf(id: string) {
  const found = kernel?.plugins().find((plugin) => plugin.id === id);
  if (!found) throw new Error(`${id} is not there`);
  return found;
}

const life = (name: string): Promise<string> => readFile(join(dir, 'data', 'plugins', 'controller', name, 'life'), 'utf8').catch(() => '');

describe.each(['thread', 'process'] as const)('a plugin in a %s that misbehaves', (isolate) => {
  it.each([
    ['throws', { mode: 'throw-later' }, /it throws later|exit code/],
    ['exits', { mode: 'exit' }, /exit|port closed/],
    ['leaks memory', { mode: 'leak' }, /out of memory|killed by|exit code/],
  ])('and %s is restarted and named, and its neighbour runs on', async (_what, config, reason) => {
    const document = cluster(
      { 'controller/crashy': crashy(config, { isolate: 'victim' }), 'controller/steady': crashy({ mode: 'run' }, { isolate }) },
      { victim: { kind: isolate, heapMb: 48 } },
    );
    await start(document);
    await expect.poll(() => stateOf('controller/crashy').restarts, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(stateOf('controller/crashy').reason).toMatch(reason);
    await expect.poll(async () => (await life('crashy')).split('start').length - 1, { timeout: 15_000 }).toBeGreaterThan(1);
    expect(stateOf('controller/steady')).toMatchObject({ state: 'Running', restarts: 0 });
    expect(stateOf('storage/memory')).toMatchObject({ state: 'Running', restarts: 0 });
  });
});

describe('a plugin that hangs', () => {
  it('is ended after ten seconds without a heartbeat, and restarted', async () => {
    await start(cluster({ 'controller/crashy': crashy({ mode: 'hang', afterMs: 100 }), 'controller/steady': crashy({ mode: 'run' }) }));
    await expect.poll(() => stateOf('controller/crashy').restarts, { timeout: 18_000 }).toBeGreaterThan(0);
    expect(stateOf('controller/crashy').reason).toMatch(/unresponsive/);
    expect(stateOf('controller/steady').restarts).toBe(0);
  });
});

describe('a plugin that refuses to start', () => {
  it('is retried and reported, and holds nobody up', async () => {
    await start(cluster({ 'controller/crashy': crashy({ mode: 'throw-on-start' }), 'controller/steady': crashy({}) }));
    await kernel?.settled();
    expect(stateOf('controller/crashy')).toMatchObject({ reason: 'it refuses to start' });
    expect(['Restarting', 'Failed']).toContain(stateOf('controller/crashy').state);
    expect(stateOf('controller/steady').state).toBe('Running');
    expect(await life('crashy')).toMatch(/start\nstop/);
  });

  it('has failed after three tries', async () => {
    await start(cluster({ 'controller/crashy': crashy({ mode: 'throw-on-start' }) }));
    await expect.poll(() => stateOf('controller/crashy').state, { timeout: 10_000 }).toBe('Failed');
  });
});

describe('a config', () => {
  it('with an unknown plugin is refused with the names there are', async () => {
    await expect(start(cluster({ 'storage/memori': {} }))).rejects.toMatchObject({
      code: 'ERR_PLUGIN_NOT_FOUND',
      hint: expect.stringContaining('storage/memory'),
    });
  });

  it('with a version that is not installed is refused', async () => {
    await expect(start(cluster({ 'controller/crashy': crashy({}, { version: '^2' }) }))).rejects.toMatchObject({
      code: 'ERR_PLUGIN_VERSION',
    });
  });

  it('that a plugin’s schema does not allow is refused before any plugin code runs', async () => {
    await expect(start(cluster({ 'controller/crashy': crashy({ mode: 'fly' }) }))).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' });
    expect(await life('crashy')).toBe('');
  });

  it('that needs a role nobody provides is refused', async () => {
    await expect(start(cluster({ 'api/core': {} }))).rejects.toMatchObject({
      code: 'ERR_ROLE_MISSING',
      message: expect.stringContaining('apiserver/v1'),
    });
  });

  it('is applied by the smallest change', async () => {
    const running = await start(cluster({ 'controller/crashy': crashy({ note: 'a' }), 'controller/steady': crashy({ note: 'a' }) }));
    await running.settled();
    const changes = await running.apply(
      cluster({ 'controller/crashy': crashy({ note: 'b' }), 'controller/steady': crashy({ note: 'b' }) }),
    );
    expect(changes).toEqual([
      { id: 'controller/crashy', change: 'restarted' },
      { id: 'controller/steady', change: 'reconfigured' },
    ]);
    expect(await life('crashy')).toBe('start a\nstop a\nstart b\n');
    expect(await life('steady')).toBe('start a\n');
    expect(await running.apply(cluster({}))).toHaveLength(2);
    expect(running.plugins().map((plugin) => plugin.id)).toEqual(['storage/memory']);
  });

  it('whose changed plugin does not start leaves the old one running', async () => {
    const running = await start(cluster({ 'controller/crashy': crashy({ note: 'good' }) }));
    await running.settled();
    const changes = await running.apply(cluster({ 'controller/crashy': crashy({ mode: 'throw-on-start' }) }));
    expect(changes).toMatchObject([{ change: 'refused', reason: 'it refuses to start' }]);
    await expect.poll(() => stateOf('controller/crashy').state).toBe('Running');
    expect(await life('crashy')).toMatch(/start good\n$/);
  });

  it('file is watched: a bad edit is refused with its line, a good one applied', async () => {
    const file = join(dir, 'cluster.yaml');
    const yaml = (extra: string) =>
      `apiVersion: kubernel.dev/v1alpha1\nkind: Cluster\nmetadata: {name: test}\nspec:\n  plugins:\n    storage/memory: {}\n${extra}`;
    await writeFile(file, yaml(''));
    const outcomes: unknown[] = [];
    kernel = await createKernel({ config: file, dataDir: join(dir, 'data'), onConfig: (outcome) => outcomes.push(outcome) });
    await writeFile(file, yaml('    controller/crashy: {pakkage: x}\n'));
    await expect.poll(() => outcomes.length, { timeout: 5_000 }).toBe(1);
    expect((outcomes[0] as { refused: Error }).refused.message).toContain(`${file}:7:`);
    await writeFile(file, yaml(`    controller/crashy: {package: ${CRASHY}}\n`));
    await expect.poll(() => outcomes.length, { timeout: 5_000 }).toBe(2);
    expect(outcomes[1]).toEqual({ changes: [{ id: 'controller/crashy', change: 'started' }] });
    await expect.poll(() => stateOf('controller/crashy').state).toBe('Running');
  });
});

describe('a kernel', () => {
  it('refuses a data directory that another one uses, and takes over from one that is gone', async () => {
    await start(cluster({}));
    await expect(createKernel({ config: cluster({}), dataDir: join(dir, 'data') })).rejects.toMatchObject({ code: 'ERR_DATA_DIR_IN_USE' });
    await kernel?.stop();
    await writeFile(join(dir, 'data', 'kernel.json'), JSON.stringify({ pid: 1, started: 'never', config: undefined }));
    await start(cluster({}));
    expect(stateOf('storage/memory').state).toBe('Running');
  });

  it('writes through its store to whichever storage runs', async () => {
    const running = await start(cluster({}));
    await running.settled();
    expect((await running.stats()).keys).toBe(0);
    expect(typeof (running.use<Store>('storage/v1') as { get: unknown }).get).toBe('function');
  });
});

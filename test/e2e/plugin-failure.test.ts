import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually, TestCluster } from './cluster.ts';

const CRASHY = join(import.meta.dirname, '..', 'fixtures', 'plugins', 'crashy');

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start('golden.yaml');
});

afterAll(async () => {
  await cluster?.stop();
});

type Plugins = Record<string, object | null>;

/** Edits the cluster's config file, as a person would while it runs. */
async function edit(change: (plugins: Plugins) => void): Promise<void> {
  const document = parse(await readFile(cluster.config, 'utf8')) as { spec: { plugins: Plugins } };
  change(document.spec.plugins);
  await writeFile(cluster.config, stringify(document));
}

describe('a plugin that crashes in a running cluster', () => {
  it('is named in status, in /readyz?verbose and in an Event, and stops nobody else', async () => {
    await edit((plugins) => (plugins['controller/crashy'] = { package: CRASHY, config: { mode: 'throw-later' } }));
    await eventually(() => {
      const { code, stdout } = cluster.kubernel('status');
      return code === 4 && /controller\/crashy is (Restarting|Failed): .*it throws later/.test(stdout);
    });
    await eventually(() => {
      const { stdout, stderr } = cluster.kubectl('get', '--raw', '/readyz?verbose');
      return /\[-\].*controller\/crashy/.test(stdout + stderr);
    });
    await eventually(() => /Warning\s+PluginRestarting\s+plugin\/controller-crashy/.test(cluster.k('get', 'events')));
    cluster.k('create', 'configmap', 'still-works', '--from-literal=a=b');
  });

  it('is gone when the config no longer names it, and all is well again', async () => {
    await edit((plugins) => delete plugins['controller/crashy']);
    await eventually(() => cluster.kubernel('status').code === 0);
    await eventually(() => cluster.k('get', '--raw', '/readyz?verbose').includes('readyz check passed'));
  });

  it('and a bad edit is refused with file and line, while the cluster runs on', async () => {
    const before = await readFile(cluster.config, 'utf8');
    await writeFile(cluster.config, `${before}    controller/none: {}\n`);
    await eventually(() => cluster.output.includes('no installed package provides controller/none'));
    await writeFile(cluster.config, `${before}    api/core: {}\n`);
    await eventually(() => /cluster\.yaml:\d+: Map keys must be unique/.test(cluster.output));
    expect(cluster.k('get', 'configmap', 'still-works')).toContain('still-works');
    await writeFile(cluster.config, before);
  });
});

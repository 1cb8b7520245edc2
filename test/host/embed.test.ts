import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterDocument, createKernel, type Kernel } from '@kubernel/kernel';
import type { KubeObject } from '@kubernel/sdk/api';
import { CONFIG_MAPS } from '@kubernel/sdk/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const HELLO = join(ROOT, 'test', 'fixtures', 'plugins', 'hello');

let dir: string;
const running: Kernel[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubernel-embed-'));
});

afterEach(async () => {
  for (const kernel of running.splice(0)) await kernel.stop();
  await rm(dir, { recursive: true, force: true });
});

type Plugins = ClusterDocument['spec']['plugins'];

/** The composition of docs/embed.md. */
async function embed(name: string, more: Plugins = {}): Promise<Kernel> {
  const kernel = await createKernel({
    dataDir: join(dir, name),
    config: {
      apiVersion: 'kubernel.dev/v1alpha1',
      kind: 'Cluster',
      metadata: { name },
      spec: {
        plugins: {
          'storage/memory': { isolate: 'inline' },
          'apiserver/server': { isolate: 'inline', config: { listen: false } },
          'api/core': {},
          'authz/masters': {},
          ...more,
        },
      },
    },
  });
  running.push(kernel);
  return kernel;
}

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const hello = (permissions: { apiGroups: string[]; resources: string[]; verbs: string[] }[]): Plugins => ({
  'controller/hello': { package: HELLO, permissions },
});
const READ_AND_PATCH = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'patch'] }];

describe('an embedded kernel', () => {
  it('serves the API without a socket, as docs/embed.md shows', async () => {
    const kernel = await embed('one');
    const client = kernel.client();
    await client.create<ConfigMap>(CONFIG_MAPS, { metadata: { name: 'hello', namespace: 'default' }, data: { a: '1' } });
    const seen: string[] = [];
    for await (const events of client.watch(CONFIG_MAPS, { namespace: 'default', resourceVersion: '0' })) {
      seen.push(...events.map((event) => `${event.type} ${event.object.metadata.name}`));
      break;
    }
    expect(seen).toContain('ADDED hello');
    const answer = await kernel.request({ method: 'GET', path: '/api/v1/namespaces/default/configmaps/hello' });
    expect(answer.code).toBe(200);
    expect(kernel.plugins().every((plugin) => plugin.state === 'Running')).toBe(true);
  });

  it('runs beside others in one process, each with objects of its own', async () => {
    const kernels = await Promise.all(['a', 'b', 'c'].map((name) => embed(name)));
    await Promise.all(
      kernels.map((kernel) => kernel.client().create<ConfigMap>(CONFIG_MAPS, { metadata: { name: kernel.name, namespace: 'default' } })),
    );
    for (const kernel of kernels) {
      const { items } = await kernel.client().list(CONFIG_MAPS, { namespace: 'default' });
      expect(items.map((item) => item.metadata.name)).toEqual([kernel.name]);
    }
  });
});

describe('the plugin of docs/write-a-plugin.md', () => {
  it('is the one in the test fixtures', async () => {
    const guide = await readFile(join(ROOT, 'docs', 'write-a-plugin.md'), 'utf8');
    expect(guide).toContain(await readFile(join(HELLO, 'index.js'), 'utf8'));
  });

  it('labels every new ConfigMap, with the permissions that the config grants', async () => {
    const kernel = await embed('granted', hello(READ_AND_PATCH));
    await kernel.settled();
    const client = kernel.client();
    await client.create<ConfigMap>(CONFIG_MAPS, { metadata: { name: 'x', namespace: 'default' } });
    await expect
      .poll(async () => (await client.get<ConfigMap>(CONFIG_MAPS, 'x', { namespace: 'default' })).metadata.labels, { timeout: 10_000 })
      .toEqual({ hello: 'world' });
  });

  it('may do nothing that the config does not grant, whatever its manifest asks for', async () => {
    const kernel = await embed('refused', hello([]));
    const client = kernel.client();
    await client.create<ConfigMap>(CONFIG_MAPS, { metadata: { name: 'x', namespace: 'default' } });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await client.get<ConfigMap>(CONFIG_MAPS, 'x', { namespace: 'default' })).metadata.labels).toBeUndefined();
  });
});

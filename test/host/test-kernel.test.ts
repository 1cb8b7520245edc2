import type { KubeObject } from '@kubernel/sdk/api';
import { CONFIG_MAPS, REPLICA_SETS } from '@kubernel/sdk/client';
import { startTestKernel } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';

describe('a kernel in memory, for tests', () => {
  it('is the real API server: it defaults, validates and watches', async () => {
    await using kernel = await startTestKernel();
    const client = kernel.client();
    await expect(client.create<KubeObject>(CONFIG_MAPS, { metadata: { name: 'NO', namespace: 'default' } })).rejects.toMatchObject({
      status: { code: 422 },
    });
    const made = await client.create<KubeObject>(CONFIG_MAPS, { metadata: { generateName: 'x-', namespace: 'default' } });
    expect(made.metadata.name).toMatch(/^x-[a-z0-9]{5}$/);
  });

  it('runs controllers too', async () => {
    await using kernel = await startTestKernel({ groups: ['apps'], plugins: { 'controller/replicaset': { isolate: 'inline' } } });
    await kernel.settled();
    const client = kernel.client();
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    await client.create<KubeObject>(REPLICA_SETS, {
      metadata: { name: 'a', namespace: 'default' },
      spec: { replicas: 3, selector: { matchLabels: { app: 'a' } }, template },
    });
    await expect
      .poll(async () => (await client.list({ group: '', version: 'v1', resource: 'pods' }, { namespace: 'default' })).items.length, {
        timeout: 10_000,
      })
      .toBe(3);
  });
});

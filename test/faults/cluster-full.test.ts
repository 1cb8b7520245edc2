import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { RawApi } from '../e2e/api.ts';
import { TestCluster } from '../e2e/cluster.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let cluster: TestCluster;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubernel-full-'));
  const golden = parse(await readFile(join(import.meta.dirname, '..', '..', 'config', 'golden.yaml'), 'utf8')) as {
    spec: { plugins: Record<string, unknown>; store?: unknown };
  };
  golden.spec.plugins['storage/sqlite'] = { config: { maxSizeBytes: 8 << 20 } };
  golden.spec.store = { historyMs: 1000 };
  await writeFile(join(dir, 'full.yaml'), stringify(golden));
  cluster = await TestCluster.start(join(dir, 'full.yaml'));
});

afterAll(async () => {
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('storage that is full', () => {
  it('refuses growth with a clear Status, lets reads and deletes through, and recovers by itself', async () => {
    const api = new RawApi(cluster.kubeconfig);
    try {
      const create = (i: number) =>
        api.send('POST', CONFIG_MAPS, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `big-${i}` },
          data: { text: 'x'.repeat(200_000) },
        });
      let made = 0;
      let refused = await create(made);
      while (refused.code === 201 && made < 200) refused = await create(++made);
      expect(made).toBeGreaterThan(5);
      expect(refused.code).toBeGreaterThanOrEqual(500);
      expect(JSON.parse(refused.body)).toMatchObject({ kind: 'Status', status: 'Failure', message: expect.stringMatching(/full|space/i) });

      expect((await api.send('GET', `${CONFIG_MAPS}/big-0`)).code).toBe(200);
      for (let i = 0; i < made; i++) expect((await api.send('DELETE', `${CONFIG_MAPS}/big-${i}`)).code).toBe(200);
      const deadline = Date.now() + 60_000;
      let again = await create(1_000);
      while (again.code !== 201 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        again = await create(1_000);
      }
      expect(again.code).toBe(201);
    } finally {
      api.close();
    }
  });
});

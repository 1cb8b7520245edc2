import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawApi } from './api.ts';
import { TestCluster } from './cluster.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start('golden.yaml');
});

afterAll(async () => {
  await cluster?.stop();
});

const names = (): string[] =>
  cluster
    .k('get', 'configmaps', '-o', 'name')
    .trim()
    .split('\n')
    .filter((name) => !name.includes('kube-root'));

describe('a snapshot', () => {
  it('brings the cluster back as it was, and tells watchers of the later past to list again', async () => {
    cluster.k('create', 'configmap', 'before', '--from-literal=a=b');
    const file = join(cluster.dir, 'backup.db');
    expect(cluster.kubernel('snapshot', 'save', file)).toMatchObject({ code: 0 });
    cluster.k('create', 'configmap', 'after', '--from-literal=a=b');
    const later = JSON.parse(cluster.k('get', 'configmap', 'after', '-o', 'json')) as { metadata: { resourceVersion: string } };

    expect(cluster.kubernel('snapshot', 'restore', file).stderr).toContain('ERR_DATA_DIR_IN_USE');
    expect(cluster.kubernel('down').code).toBe(0);
    expect(cluster.kubernel('snapshot', 'restore', file).stderr).toContain('ERR_DATA_EXISTS');
    expect(cluster.kubernel('snapshot', 'restore', join(cluster.dir, 'cluster.yaml'), '--force').stderr).toContain('ERR_SNAPSHOT_INVALID');
    expect(cluster.kubernel('snapshot', 'restore', file, '--force')).toMatchObject({ code: 0 });
    await cluster.up();

    expect(names()).toEqual(['configmap/before']);
    const api = new RawApi(cluster.kubeconfig);
    const lines: string[] = [];
    await api.watch(`${CONFIG_MAPS}?watch=1&timeoutSeconds=1&resourceVersion=${later.metadata.resourceVersion}`, (line) =>
      lines.push(line),
    );
    api.close();
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    cluster.k('create', 'configmap', 'again', '--from-literal=a=b');
    expect(readFileSync(cluster.kubeconfig, 'utf8')).toContain('client-certificate-data');
  });
});

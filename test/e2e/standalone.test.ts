import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { buildImages } from '../fixtures/images/build.ts';
import { eventually, TestCluster } from './cluster.ts';
import { realNodeMissing } from './node-machine.ts';

const APP = join(import.meta.dirname, '..', 'fixtures', 'app', 'two-tier.yaml');
const CONFIG = join(import.meta.dirname, '..', '..', 'config', 'standalone.yaml');
const missing = realNodeMissing();

interface Pods {
  items: { metadata: { name: string }; status: { podIP: string; containerStatuses: { containerID: string; restartCount: number }[] } }[];
}

describe.skipIf(missing)(`the README's tour on a real node${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let cluster: TestCluster;
  let dir: string;

  const pods = (label: string): Pods['items'] => (JSON.parse(cluster.k('get', 'pods', '-l', label, '-o', 'json')) as Pods).items;
  const get = async (path: string): Promise<string> => {
    const [pod] = pods('app=web');
    const answer = await fetch(`http://${pod?.status.podIP}:8080${path}`, { signal: AbortSignal.timeout(5_000) });
    return answer.text();
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kubernel-tour-'));
    // The standalone composition, with a bridge and pod addresses of its own beside those of other tests.
    const composition = parse(await readFile(CONFIG, 'utf8')) as { spec: { cluster?: object; plugins: Record<string, object> } };
    composition.spec.cluster = { podCIDRs: ['10.201.0.0/16'] };
    composition.spec.plugins['cni/exec'] = { isolate: 'node', config: { bridge: 'kubetour' } };
    await writeFile(join(dir, 'standalone.yaml'), stringify(composition));
    cluster = await TestCluster.start(join(dir, 'standalone.yaml'));
    for (const file of buildImages(['redis', 'web'], join(tmpdir(), 'kubernel-test-images'))) {
      expect(cluster.kubernel('image', 'load', file)).toMatchObject({ code: 0 });
    }
  }, 180_000);

  afterAll(async () => {
    await cluster?.stop();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  it('lists the images that were loaded', () => {
    expect(cluster.kubernel('image', 'ls').stdout).toMatch(/kubernel\.local\/(redis:7|web:1)[\s\S]*kubernel\.local\/(redis:7|web:[12])/);
  });

  it('runs an application of two tiers, whose pods answer by their IP', async () => {
    cluster.k('apply', '-f', APP);
    cluster.k('rollout', 'status', 'deploy/redis', '--timeout=60s');
    cluster.k('rollout', 'status', 'deploy/web', '--timeout=60s');
    expect(await get('/cgi-bin/hello')).toMatch(/^Good day from web-\S+ version 1/);

    const [redis] = pods('app=redis');
    cluster.k('set', 'env', 'deploy/web', `REDIS_HOST=${redis?.status.podIP}`);
    cluster.k('rollout', 'status', 'deploy/web', '--timeout=60s');
    const visits = async (): Promise<number> => Number(/visit (\d+)/.exec(await get('/cgi-bin/hello'))?.[1]);
    const first = await eventually(visits);
    expect(await visits()).toBe(first + 1);
  });

  it('shows what a person asks for: logs, exec, files from ConfigMaps and Secrets, events', async () => {
    expect(cluster.k('exec', 'deploy/web', '--', 'cat', '/etc/web/motd')).toBe('Served from a ConfigMap.\n');
    expect(cluster.k('exec', 'deploy/redis', '--', 'redis-cli', 'config', 'get', 'maxmemory')).toContain('16777216');
    expect(cluster.k('exec', 'deploy/web', '--', 'ls', '/var/run/secrets/kubernetes.io/serviceaccount').trim().split(/\s+/)).toEqual([
      'ca.crt',
      'namespace',
      'token',
    ]);
    expect(cluster.k('logs', 'deploy/redis')).toMatch(/Ready to accept connections/);
    expect(cluster.k('describe', 'pod', '-l', 'app=redis')).toMatch(/Scheduled[\s\S]*Pulled[\s\S]*Created[\s\S]*Started/);
    expect(cluster.k('get', 'nodes', '-o', 'wide')).toMatch(/Ready.*containerd:\/\//);
  });

  it('rolls out another version and back, and scales', async () => {
    cluster.k('set', 'image', 'deploy/web', 'web=kubernel.local/web:2');
    cluster.k('rollout', 'status', 'deploy/web', '--timeout=60s');
    await eventually(async () => /version 2/.test(await get('/cgi-bin/hello')));
    cluster.k('rollout', 'undo', 'deploy/web');
    cluster.k('rollout', 'status', 'deploy/web', '--timeout=60s');
    await eventually(async () => /version 1/.test(await get('/cgi-bin/hello')));
    cluster.k('scale', 'deploy/web', '--replicas=3');
    await eventually(() => cluster.k('get', 'deploy', 'web', '-o', 'jsonpath={.status.readyReplicas}') === '3');
  });

  it('survives kill -9: objects are there, containers go on and are adopted', async () => {
    await eventually(() => pods('app=web').length === 3);
    const before = [...pods('app=web'), ...pods('app=redis')].map((pod) => pod.status.containerStatuses[0]?.containerID).sort();
    await cluster.kill('SIGKILL');
    await cluster.up();
    await eventually(() => cluster.k('get', 'nodes').includes(' Ready '));
    await eventually(async () => /visit/.test(await get('/cgi-bin/hello')));
    const after = [...pods('app=web'), ...pods('app=redis')];
    expect(after.map((pod) => pod.status.containerStatuses[0]?.containerID).sort()).toEqual(before);
    for (const pod of after) expect(pod.status.containerStatuses[0]?.restartCount).toBe(0);
  });

  it('deletes it all', async () => {
    cluster.k('delete', '-f', APP, '--timeout=60s');
    await eventually(() => pods('app=web').length === 0 && pods('app=redis').length === 0, 60_000);
  });
});

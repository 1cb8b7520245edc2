import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, TestCluster } from './cluster.ts';

const APP = join(import.meta.dirname, '..', 'fixtures', 'app', 'two-tier.yaml');

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start('dev.yaml');
});

afterAll(async () => {
  await cluster?.stop();
});

const json = <T>(...args: string[]): T => JSON.parse(cluster.k(...args, '-o', 'json')) as T;

interface List {
  items: {
    metadata: { name: string; labels?: Record<string, string> };
    status?: { phase?: string; podIP?: string; conditions?: { type: string; status: string }[] };
    spec?: { nodeName?: string };
  }[];
}

describe('a cluster of simulated nodes (dev.yaml)', () => {
  it('says that its nodes are simulated, in node labels and in status', async () => {
    const nodes = await eventually(() => {
      const found = json<List>('get', 'nodes').items;
      return (
        found.length === 3 &&
        found.every((node) => node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) &&
        found
      );
    });
    for (const node of nodes) expect(node.metadata.labels?.['kubernel.dev/simulated']).toBe('true');
    expect(cluster.kubernel('status').stdout).toMatch(/cri\/sim\s+Running \(simulated\)/);
  });

  it('runs an application: apply, watch, rollout, image change, undo, scale, delete', async () => {
    const watch = cluster.follow('get', 'pods', '-w', '--output-watch-events');
    try {
      cluster.k('apply', '-f', APP);
      cluster.k('rollout', 'status', 'deploy/web', '--timeout=30s');
      cluster.k('rollout', 'status', 'deploy/redis', '--timeout=30s');
      const pods = json<List>('get', 'pods', '-l', 'app=web').items;
      expect(pods).toHaveLength(2);
      for (const pod of pods) expect(pod.status?.phase).toBe('Running');
      const wide = cluster.k('get', 'pods', '-o', 'wide');
      expect(wide).toMatch(/NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\s+IP\s+NODE\s+NOMINATED NODE\s+READINESS GATES/);
      expect(cluster.k('get', 'all')).toMatch(/deployment.apps\/web\s+2\/2/);

      cluster.k('set', 'image', 'deploy/web', 'web=kubernel.local/web:2');
      cluster.k('rollout', 'status', 'deploy/web', '--timeout=30s');
      expect(cluster.k('get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('kubernel.local/web:2');
      expect(cluster.k('rollout', 'history', 'deploy/web')).toMatch(/1\s.*\n2\s/);
      cluster.k('rollout', 'undo', 'deploy/web');
      cluster.k('rollout', 'status', 'deploy/web', '--timeout=30s');
      expect(cluster.k('get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('kubernel.local/web:1');

      cluster.k('scale', 'deploy/web', '--replicas=5');
      await eventually(() => cluster.k('get', 'deploy', 'web', '-o', 'jsonpath={.status.readyReplicas}') === '5');
      expect(cluster.k('describe', 'deploy', 'web')).toMatch(/ScalingReplicaSet/);
      expect(cluster.k('describe', 'pod', '-l', 'app=redis')).toMatch(/Scheduled[\s\S]*Successfully assigned/);
      await eventually(
        () =>
          cluster
            .k('get', 'endpointslices', '-l', 'kubernetes.io/service-name=web', '-o', 'jsonpath={.items[*].endpoints[*].addresses[0]}')
            .split(' ').length === 5,
      );

      cluster.k('delete', '-f', APP);
      await eventually(() => json<List>('get', 'pods').items.length === 0);
      await eventually(() => ['ADDED', 'Pending', 'ContainerCreating', 'Running', 'DELETED'].every((step) => watch.stdout.includes(step)));
    } finally {
      await watch.end();
    }
  });

  it('gives each namespace its service account and root certificate, and empties it when it is deleted', async () => {
    cluster.k('create', 'namespace', 'short');
    await eventually(() => cluster.k('-n', 'short', 'get', 'serviceaccount', 'default'));
    await eventually(() => cluster.k('-n', 'short', 'get', 'configmap', 'kube-root-ca.crt'));
    cluster.k('-n', 'short', 'create', 'configmap', 'a', '--from-literal=k=v');
    cluster.k('delete', 'namespace', 'short', '--timeout=30s');
    expect(cluster.kubectl('get', 'namespace', 'short').stderr).toContain('NotFound');
  });

  it('collects what a deleted owner leaves, and orphans when asked', async () => {
    cluster.k('create', 'deployment', 'owner', '--image=x', '--replicas=2');
    await eventually(() => json<List>('get', 'pods', '-l', 'app=owner').items.length === 2);
    cluster.k('delete', 'deployment', 'owner', '--cascade=orphan');
    expect(json<List>('get', 'rs', '-l', 'app=owner').items).toHaveLength(1);
    cluster.k('delete', 'rs', '-l', 'app=owner');
    await eventually(() => json<List>('get', 'pods', '-l', 'app=owner').items.length === 0);
  });

  it('keeps a pod pending that fits nowhere, and says why', async () => {
    cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'huge' },
      spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '4000' } } }] },
    });
    await eventually(() => /0\/3 nodes are available: 3 Insufficient cpu/.test(cluster.k('describe', 'pod', 'huge')));
    cluster.k('delete', 'pod', 'huge', '--wait=false');
  });

  it('refuses what a user may not do', () => {
    cluster.k('create', 'serviceaccount', 'nobody');
    const as = '--as=system:serviceaccount:default:nobody';
    expect(cluster.kubectl('get', 'secrets', as).stderr).toMatch(/Forbidden.*cannot list resource "secrets"/s);
    cluster.k('create', 'rolebinding', 'nobody-view', '--clusterrole=view', '--serviceaccount=default:nobody');
    expect(cluster.kubectl('get', 'pods', as).code).toBe(0);
    expect(cluster.kubectl('auth', 'can-i', 'delete', 'pods', as)).toMatchObject({ code: 1, stdout: 'no\n' });
  });

  it('explains and lists its API', () => {
    expect(cluster.k('explain', 'pod.spec.containers')).toMatch(/FIELDS[\s\S]*image\s+<string>/);
    expect(cluster.k('api-resources')).toMatch(/deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/);
    expect(cluster.k('get', '--raw', '/readyz?verbose')).toContain('readyz check passed');
  });
});

const NOBODY = 65_534;
const notAsNobody =
  process.getuid?.() !== 0
    ? 'needs root to become another user'
    : spawnSync('cat', [join(import.meta.dirname, '..', '..', 'kernel', 'dist', 'cli', 'main.js')], { uid: NOBODY, gid: NOBODY }).status !==
        0
      ? 'the checkout is not readable by others'
      : undefined;

describe.skipIf(notAsNobody)(`the same cluster as an unprivileged user${notAsNobody ? ` (skipped: ${notAsNobody})` : ''}`, () => {
  it('starts, runs the application, keeps its files to itself, and stops', async () => {
    const own = await TestCluster.start('dev.yaml', { uid: NOBODY });
    try {
      own.k('apply', '-f', APP);
      own.k('rollout', 'status', 'deploy/web', '--timeout=30s');
      expect(own.kubernel('status').stdout).toContain('Everything runs.');
      for (const file of ['kubeconfig', 'pki/ca.key', 'pki/sa.key', 'plugins/storage/sqlite/store.db', 'kernel.sock']) {
        const { mode, uid } = await stat(join(own.dataDir, file));
        expect({ file, mode: mode & 0o777, uid }).toEqual({ file, mode: 0o600, uid: NOBODY });
      }
    } finally {
      await own.stop();
    }
  });
});

import type { Container, Pod } from '@kubernel/sdk/api';
import { describe, expect, it } from 'vitest';
import { CrashBackoff, goDuration } from './crash-backoff.ts';
import { parseResolvConf, podDns } from './dns.ts';
import { etcHosts } from './etc-hosts.ts';
import { imageHost, registryAuth } from './pull-secrets.ts';
import { references } from './referenced-objects.ts';
import { linuxResources, oomScoreAdj, podCgroup, qosClass } from './resources.ts';

const GIB = 2 ** 30;
const pod = (spec: Record<string, unknown> = {}): Pod =>
  ({ metadata: { name: 'web', namespace: 'shop', uid: 'u1' }, spec: { containers: [], ...spec } }) as Pod;
const container = (requests?: object, limits?: object): Container => ({ name: 'c', resources: { requests, limits } }) as Container;

describe('resources', () => {
  it('give a pod its class, its cgroup and its place in the queue for death', () => {
    const guaranteed = pod({ containers: [container({ cpu: '1', memory: '1Gi' }, { cpu: '1000m', memory: '1Gi' })] });
    const burstable = pod({ containers: [container({ memory: '1Gi' })] });
    const none = pod({ containers: [container()] });
    expect([guaranteed, burstable, none].map(qosClass)).toEqual(['Guaranteed', 'Burstable', 'BestEffort']);
    expect([guaranteed, burstable, none].map((each) => podCgroup('/kubepods', each))).toEqual([
      '/kubepods/podu1',
      '/kubepods/burstable/podu1',
      '/kubepods/besteffort/podu1',
    ]);
    expect([guaranteed, burstable, none].map((each) => oomScoreAdj(each, each.spec.containers[0]!, 4 * GIB))).toEqual([-997, 750, 1000]);
  });

  it('become cgroup values', () => {
    const one = container({ cpu: '250m' }, { cpu: '500m', memory: '64Mi' });
    expect(linuxResources(pod({ containers: [one] }), one, GIB)).toMatchObject({
      cpuShares: 256,
      cpuPeriod: 100_000,
      cpuQuota: 50_000,
      memoryLimitInBytes: 64 * 2 ** 20,
    });
    const tiny = container({}, { cpu: '1m' });
    expect(linuxResources(pod({ containers: [tiny] }), tiny, GIB)).toMatchObject({ cpuShares: 2, cpuQuota: 1_000 });
  });
});

describe('resolv.conf', () => {
  const cluster = { dns: ['10.96.0.10'], domain: 'cluster.local' };
  const host = parseResolvConf('nameserver 9.9.9.9 # mine\nsearch corp.example.\noptions timeout:1\n');

  it('follows the DNS policy', () => {
    expect(podDns(pod(), cluster, host)).toEqual({
      servers: ['10.96.0.10'],
      searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
      options: ['ndots:5'],
    });
    expect(podDns(pod({ hostNetwork: true }), cluster, host)).toEqual(host);
    expect(podDns(pod({ dnsPolicy: 'Default' }), cluster, host).servers).toEqual(['9.9.9.9']);
    expect(
      podDns(pod({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '2' }] } }), cluster, host),
    ).toEqual({
      servers: ['1.1.1.1'],
      searches: [],
      options: ['ndots:2'],
    });
    expect(podDns(pod({ dnsConfig: { options: [{ name: 'ndots', value: '1' }] } }), cluster, host).options).toEqual(['ndots:1']);
  });
});

describe('/etc/hosts', () => {
  it('names the pod, with its subdomain, and the aliases', () => {
    const text = etcHosts(
      pod({ hostname: 'db-0', subdomain: 'db', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] }),
      ['10.1.1.1'],
      'cluster.local',
    );
    expect(text).toContain('10.1.1.1\tdb-0.db.shop.svc.cluster.local\tdb-0\n');
    expect(text).toContain('1.2.3.4\ta\tb\n');
  });
});

describe('a container that keeps ending', () => {
  it('starts at once, then after 10 s, 20 s … 5 min, and afresh after ten minutes of running', () => {
    const backoff = new CrashBackoff();
    let now = 1_000_000;
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      const wait = backoff.remaining('c', now, now);
      delays.push(wait / 1000);
      const ended = now;
      now += wait;
      backoff.restarted('c', ended, now);
    }
    expect(delays).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(backoff.remaining('c', now + 601_000, now + 601_000)).toBe(0);
    expect([10_000, 80_000, 300_000].map(goDuration)).toEqual(['10s', '1m20s', '5m0s']);
  });
});

describe('what a pod refers to', () => {
  it('is found everywhere it may stand', () => {
    const spec = {
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [
        { name: 'v', configMap: { name: 'a' } },
        { name: 'w', projected: { sources: [{ secret: { name: 'b' } }] } },
        { name: 'x', secret: { secretName: 'c' } },
      ],
      initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'd' } }] }],
      containers: [{ name: 'c', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'e', key: 'k' } } }] }],
    };
    expect([...references(pod(spec))].map(([kind, name]) => `${kind} ${name}`).sort()).toEqual([
      'configMap a',
      'configMap d',
      'secret b',
      'secret c',
      'secret e',
      'secret pull',
    ]);
  });
});

describe('registry credentials', () => {
  it("are those of the image's registry", () => {
    const secret = (auths: object) => ({
      metadata: {},
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
    });
    expect(imageHost('redis')).toBe('docker.io');
    expect(registryAuth(secret({ 'https://index.docker.io/v1/': { auth: 'eA==' } }), imageHost('library/redis'))).toEqual({
      auth: 'eA==',
      serverAddress: 'docker.io',
    });
    expect(registryAuth(secret({ 'ghcr.io': { username: 'u', password: 'p' } }), 'quay.io')).toBeUndefined();
    expect(registryAuth({ metadata: {}, data: { '.dockerconfigjson': 'bm90IGpzb24=' } }, 'quay.io')).toBeUndefined();
  });
});

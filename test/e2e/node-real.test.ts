import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import cniExec from '@kubernel/cni-exec';
import criContainerd from '@kubernel/cri-containerd';
import agent from '@kubernel/kubelet-agent';
import type { ApiRequest, ApiResponse } from '@kubernel/sdk';
import type { Container, Pod, PodSpec } from '@kubernel/sdk/api';
import { CONFIG_MAPS, createClient, EVENTS, NODES, PODS, SECRETS, SERVICES } from '@kubernel/sdk/client';
import { FakeApi } from '@kubernel/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImages } from '../fixtures/images/build.ts';
import { type StartedPlugin, startPlugin } from './node-context.ts';
import { realNodeMissing } from './node-machine.ts';

const missing = realNodeMissing();

/** The fake API issues no tokens. */
class FakeApiWithTokens extends FakeApi {
  issued = 0;

  override async request(request: ApiRequest): Promise<ApiResponse> {
    if (!request.path.endsWith('/token')) return super.request(request);
    const body = {
      ...JSON.parse(request.body ?? '{}'),
      status: { token: `token-${++this.issued}`, expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() },
    };
    return { code: 201, body: JSON.stringify(body) };
  }
}

describe.skipIf(missing)(`a real node, against the fake API${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubernel-node-'));
  const api = new FakeApiWithTokens();
  const client = createClient(api);
  const complaints: string[] = [];
  let cni: StartedPlugin<'cni/v1'>;
  let cri: StartedPlugin<'cri/v1'>;
  let kubelet: StartedPlugin<'kubelet/v1'>;

  const startKubelet = async () => {
    kubelet = await startPlugin(
      agent,
      { nodeName: 'real', port: 0, cgroupRoot: '/kubetest' },
      { dataDir, client, roles: { 'cri/v1': cri.instance, 'cni/v1': cni.instance }, complaints },
    );
  };

  beforeAll(async () => {
    api.put(NODES, { metadata: { name: 'real' }, spec: { podCIDR: '10.199.8.0/24', podCIDRs: ['10.199.8.0/24'] } });
    cni = await startPlugin(cniExec, { bridge: 'kubetest1' }, { dataDir });
    cri = await startPlugin(criContainerd, {}, { dataDir, roles: { 'cni/v1': cni.instance } });
    const files = buildImages(['busybox', 'web'], join(tmpdir(), 'kubernel-test-images'));
    for (const file of files) await cri.instance.importImage?.({ file });
    await startKubelet();
  }, 120_000);

  afterAll(async () => {
    await kubelet.instance.shutdown?.();
    await kubelet.stop();
    await cri.instance.shutdown?.();
    await cri.stop();
    await cni.stop();
    expect(execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' })).not.toContain('kubetest1');
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(dataDir);
    expect(execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-name', 'kubetest'], { encoding: 'utf8' })).toBe('');
    rmSync(dataDir, { recursive: true, force: true });
  }, 60_000);

  const put = (name: string, spec: Partial<PodSpec> & { containers: Container[] }, metadata = {}): Pod =>
    api.put<Pod>(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName: 'real', terminationGracePeriodSeconds: 1, ...spec },
    });
  const shell = (script: string, rest: Partial<Container> = {}): Container => ({
    name: 'main',
    image: 'kubernel.local/busybox:1',
    command: ['sh', '-c', script],
    ...rest,
  });
  const get = (name: string): Pod => api.get<Pod>(PODS, `default/${name}`)!;
  const main = (name: string) => get(name)?.status?.containerStatuses?.[0];
  const phase = (name: string) => expect.poll(() => get(name)?.status?.phase, { timeout: 20_000 });
  const id = (name: string) => main(name)!.containerID!.split('://')[1]!;
  const exec = async (name: string, script: string) => {
    const { stdout, stderr } = await cri.instance.execSync({ containerId: id(name), cmd: ['sh', '-c', script], timeout: 10 });
    return stdout + stderr;
  };
  const log = async (name: string) => readFileSync((await cri.instance.containerStatus({ containerId: id(name) })).logPath, 'utf8');

  it('runs a pod that has an address others reach, with its environment, files and tokens', async () => {
    api.put(CONFIG_MAPS, { metadata: { name: 'settings', namespace: 'default' }, data: { color: 'blue', 'app.conf': 'a=1\n' } });
    api.put(CONFIG_MAPS, { metadata: { name: 'kube-root-ca.crt', namespace: 'default' }, data: { 'ca.crt': 'CA' } });
    api.put(SECRETS, { metadata: { name: 'password', namespace: 'default' }, data: { value: Buffer.from('s3cret').toString('base64') } });
    api.put(SERVICES, {
      metadata: { name: 'redis-main', namespace: 'default' },
      spec: { clusterIP: '10.96.0.20', ports: [{ name: 'db', port: 6379 }] },
    });
    const began = Date.now();
    put(
      'full',
      {
        hostAliases: [{ ip: '10.1.2.3', hostnames: ['elsewhere'] }],
        volumes: [
          { name: 'config', configMap: { name: 'settings' } },
          { name: 'secret', secret: { secretName: 'password', defaultMode: 0o400 } },
          {
            name: 'token',
            projected: {
              sources: [
                { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
                { configMap: { name: 'kube-root-ca.crt' } },
                { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
              ],
            },
          },
          { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'labels', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
        containers: [
          {
            name: 'main',
            image: 'kubernel.local/web:1',
            args: ['$(COLOR)'],
            command: ['httpd', '-f', '-p', '8080', '-h', '/www'],
            ports: [{ containerPort: 8080 }],
            resources: { limits: { memory: '64Mi', cpu: '500m' }, requests: { memory: '32Mi' } },
            env: [
              { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
              { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'password', key: 'value' } } },
              { name: 'ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
              { name: 'TEXT', value: 'it is $(COLOR) and $$(COLOR)' },
            ],
            volumeMounts: [
              { name: 'config', mountPath: '/config' },
              { name: 'secret', mountPath: '/secret', readOnly: true },
              { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
              { name: 'scratch', mountPath: '/scratch' },
              { name: 'labels', mountPath: '/labels' },
              { name: 'config', mountPath: '/one/color', subPath: 'color' },
            ],
            readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 },
          } as Container,
        ],
      },
      { labels: { app: 'full' } },
    );
    await phase('full')
      .toBe('Running')
      .catch((error: unknown) => {
        throw new Error(JSON.stringify([get('full').status, api.all(EVENTS).map(({ reason, message }) => `${reason}: ${message}`)]), {
          cause: error,
        });
      });
    if (process.env.KUBERNEL_TEST_LOG) console.error(`running after ${Date.now() - began} ms`);
    await expect.poll(() => main('full')?.ready).toBe(true);
    const { podIP } = get('full').status!;
    expect(podIP).toMatch(/^10\.199\.8\./);
    expect(await (await fetch(`http://${podIP}:8080/cgi-bin/hello`)).text()).toBe('hello from full version 1\n');
    expect(await exec('full', 'echo $COLOR $PASSWORD $ADDRESS $MEMORY $TEXT $REDIS_MAIN_SERVICE_HOST:$REDIS_MAIN_SERVICE_PORT_DB')).toBe(
      `blue s3cret ${podIP} 64 it is blue and $(COLOR) 10.96.0.20:6379\n`,
    );
    expect(await exec('full', 'cd /var/run/secrets/kubernetes.io/serviceaccount; cat token ca.crt namespace')).toBe('token-1CAdefault');
    expect(await exec('full', 'cat /config/app.conf /secret/value /one/color /labels/labels; stat -c %a /secret/..data/value')).toBe(
      'a=1\ns3cretblueapp="full"400\n',
    );
    expect(
      await exec(
        'full',
        "df -k /scratch | tail -1 | awk '{print $1, $2}'; cat /etc/hosts | grep -c elsewhere; hostname; cat /etc/resolv.conf",
      ),
    ).toBe(
      'tmpfs 1024\n1\nfull\nsearch default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
    );
  }, 60_000);

  it("gives the pod's cgroup what the pod asks for", () => {
    const v2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
    const read = (controller: string, file: string) =>
      readFileSync(
        join('/sys/fs/cgroup', v2 ? '' : controller, 'kubetest/burstable', `pod${get('full').metadata.uid}`, file),
        'utf8',
      ).trim();
    expect(read('memory', v2 ? 'memory.max' : 'memory.limit_in_bytes')).toBe(String(64 * 2 ** 20));
    expect(read('cpu', v2 ? 'cpu.max' : 'cpu.cfs_quota_us')).toBe(v2 ? '50000 100000' : '50000');
  });

  it('shows a changed config map in the container, all files at once', async () => {
    api.put(CONFIG_MAPS, { metadata: { name: 'settings', namespace: 'default' }, data: { color: 'green', more: 'x' } });
    await expect.poll(() => exec('full', 'cat /config/color /config/more; ls /config'), { timeout: 5_000 }).toBe('greenxcolor\nmore\n');
  }, 20_000);

  it('keeps logs, exit codes and termination messages, and restarts what failed', async () => {
    put('fails', {
      containers: [shell('echo out; echo err >&2; echo -n gone > /dev/termination-log; exit 3')],
      restartPolicy: 'OnFailure',
    });
    await expect.poll(() => main('fails')?.state?.waiting?.reason, { timeout: 20_000 }).toBe('CrashLoopBackOff');
    expect(main('fails')).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'gone' } } });
    expect(await log('fails')).toMatch(/stdout F out\n/);
    expect(await log('fails')).toMatch(/stderr F err\n/);
    put('done', { containers: [shell('exit 0')], restartPolicy: 'Never' });
    await phase('done').toBe('Succeeded');
    put('killed', {
      containers: [shell('head -c 100m /dev/zero | tail', { resources: { limits: { memory: '20Mi' } } })],
      restartPolicy: 'Never',
    });
    await phase('killed').toBe('Failed');
    expect(main('killed')!.state!.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    put('nothing', { containers: [shell('', { command: ['/no/such/command'] })], restartPolicy: 'Never' });
    await phase('nothing').toBe('Failed');
    expect(main('nothing')!.state!.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
  }, 60_000);

  it('restarts a container whose liveness probe fails, and says so', async () => {
    put('ill', {
      containers: [
        shell('touch /ok; sleep 1; rm /ok; sleep 1000', {
          livenessProbe: { exec: { command: ['cat', '/ok'] }, periodSeconds: 1, failureThreshold: 1 },
        }),
      ],
    });
    await expect.poll(() => main('ill')?.restartCount, { timeout: 20_000 }).toBe(1);
    const messages = api
      .all(EVENTS)
      .filter((event) => (event.involvedObject as { name: string }).name === 'ill')
      .map(({ reason, message }) => `${reason}: ${message}`);
    expect(messages).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Unhealthy: Liveness probe failed: cat: can't open '\/ok'/),
        'Killing: Container main failed liveness probe, will be restarted',
      ]),
    );
    await client.delete(PODS, 'ill', { namespace: 'default', gracePeriodSeconds: 1 });
  }, 60_000);

  it('runs sidecars before and beside the containers, and hooks', async () => {
    put('team', {
      volumes: [{ name: 'shared', emptyDir: {} }],
      initContainers: [
        { ...shell('echo init >> /shared/log', { name: 'prepare', volumeMounts: [{ name: 'shared', mountPath: '/shared' }] }) },
        {
          ...shell('echo side >> /shared/log; trap "echo side-end >> /shared/log; exit 0" TERM; while :; do sleep 0.1; done', {
            name: 'side',
            restartPolicy: 'Always',
            volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
            startupProbe: { exec: { command: ['grep', 'side', '/shared/log'] }, periodSeconds: 1 },
          }),
        },
      ],
      containers: [
        shell('echo main >> /shared/log; sleep 1000', {
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
          lifecycle: {
            postStart: { exec: { command: ['sh', '-c', 'echo hook >> /shared/hook'] } },
            preStop: { exec: { command: ['sh', '-c', 'echo bye >> /shared/hook'] } },
          },
        }),
      ],
    });
    await expect.poll(() => main('team')?.ready, { timeout: 20_000 }).toBe(true);
    expect(await exec('team', 'cat /shared/log /shared/hook')).toBe('init\nside\nmain\nhook\n');
    expect(get('team').status!.initContainerStatuses!.map(({ name, ready }) => `${name} ${ready}`)).toEqual(['prepare true', 'side true']);
  }, 60_000);

  it('keeps of a container that ends again and again the last two', async () => {
    put('again', { containers: [shell('echo run; exit 1')] });
    await expect.poll(() => main('again')?.restartCount, { timeout: 25_000 }).toBe(2);
    await expect
      .poll(
        async () =>
          (await cri.instance.listContainers())
            .filter(({ labels }) => labels['io.kubernetes.pod.name'] === 'again')
            .map(({ metadata }) => metadata.attempt)
            .sort(),
        { timeout: 5_000 },
      )
      .toEqual([1, 2]);
  }, 40_000);

  it("runs pods in the host's network", async () => {
    put('host', { hostNetwork: true, containers: [shell('sleep 1000')] });
    await phase('host').toBe('Running');
    expect(get('host').status!.podIP).toBe(get('host').status!.hostIP);
    expect(await exec('host', 'hostname')).toBe(execFileSync('hostname', { encoding: 'utf8' }));
  }, 30_000);

  it('adds an ephemeral container that sees the processes of its target', async () => {
    const { metadata, spec, status } = get('team');
    const debug = { ...shell('ps; echo looked'), name: 'debug', targetContainerName: 'main' };
    api.put(PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, ephemeralContainers: [debug] }, status } as Pod);
    await expect.poll(() => get('team').status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode, { timeout: 10_000 }).toBe(0);
    const containerId = get('team').status!.ephemeralContainerStatuses![0]!.containerID!.split('//')[1]!;
    expect(readFileSync((await cri.instance.containerStatus({ containerId })).logPath, 'utf8')).toMatch(/sleep 1000.*looked/s);
  }, 30_000);

  it('adopts containers when the kubelet, and containerd with it, is replaced', async () => {
    const before = main('full')!;
    const sandboxes = async () =>
      (await cri.instance.listPodSandbox()).filter(({ metadata }) => metadata.name === 'full').map(({ id }) => id);
    const [sandbox] = await sandboxes();
    await kubelet.stop();
    await cri.stop();
    cri = await startPlugin(criContainerd, {}, { dataDir, roles: { 'cni/v1': cni.instance } });
    await startKubelet();
    put('later', { containers: [shell('sleep 1000')] });
    await phase('later').toBe('Running');
    expect(main('full')).toMatchObject({ containerID: before.containerID, restartCount: 0, ready: true });
    expect(await sandboxes()).toEqual([sandbox]);
    api.put(CONFIG_MAPS, { metadata: { name: 'settings', namespace: 'default' }, data: { color: 'red' } });
    await expect.poll(() => exec('full', 'cat /config/color'), { timeout: 5_000 }).toBe('red');
  }, 60_000);

  it('starts a container anew, with its restart counted, when its sandbox is killed from outside', async () => {
    const [sandbox] = (await cri.instance.listPodSandbox()).filter(({ metadata }) => metadata.name === 'later');
    const { podIP } = get('later').status!;
    await cri.instance.stopPodSandbox({ podSandboxId: sandbox!.id });
    await expect.poll(() => main('later')?.restartCount, { timeout: 5_000 }).toBeGreaterThan(0);
    await expect.poll(() => main('later')?.ready, { timeout: 20_000 }).toBe(true);
    expect(get('later').status!.podIP).not.toBe(podIP);
  }, 60_000);

  it('takes pods down and leaves nothing of them', async () => {
    for (const { metadata } of api.all<Pod>(PODS))
      await client.delete(PODS, metadata.name!, { namespace: 'default', gracePeriodSeconds: 1 });
    await expect.poll(() => api.all(PODS).length, { timeout: 30_000 }).toBe(0);
    await expect.poll(() => cri.instance.listPodSandbox(), { timeout: 10_000 }).toEqual([]);
    await sleep(100);
    const left = execFileSync('find', [join(dataDir, 'plugins/kubelet/agent'), '-mindepth', '2'], { encoding: 'utf8' });
    expect(left).toBe('');
    expect(complaints.filter((line) => !line.includes('the cluster CA is not on this machine'))).toEqual([]);
  }, 60_000);
});

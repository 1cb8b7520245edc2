import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import criSim from '@kubernel/cri-sim';
import agent from '@kubernel/kubelet-agent';
import type { Lease, Node, Pod } from '@kubernel/sdk/api';
import { createClient, EVENTS, LEASES, NODES, PODS } from '@kubernel/sdk/client';
import { FakeApi } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StartedPlugin, startPlugin } from './node-context.ts';

describe('kubelet/agent with simulated containers, against the fake API', () => {
  let dataDir: string;
  let api: FakeApi;
  let sim: StartedPlugin<'cri/v1'>;
  let kubelet: StartedPlugin<'kubelet/v1'> | undefined;
  const complaints: string[] = [];

  beforeEach(async () => {
    complaints.length = 0;
    dataDir = mkdtempSync(join(tmpdir(), 'kubernel-sim-'));
    api = new FakeApi();
    sim = await startPlugin(criSim, {}, { dataDir });
  });
  afterEach(async () => {
    await kubelet?.stop();
    kubelet = undefined;
    await sim.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = async (config = {}) => {
    kubelet = await startPlugin(
      agent,
      { nodeName: 'node-a', port: 0, ...config },
      { dataDir, client: createClient(api), roles: { 'cri/v1': sim.instance }, complaints },
    );
  };
  const pod = (name: string, spec: Partial<Pod['spec']> = {}, annotations: Record<string, string> = {}): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', annotations },
    spec: { nodeName: 'node-a', containers: [{ name: 'main', image: 'app:1' }], ...spec },
  });
  const get = (name: string): Pod | undefined => api.get<Pod>(PODS, `default/${name}`);
  const phase = (name: string) => get(name)?.status?.phase;
  const events = () => api.all(EVENTS).map((event) => `${event.reason as string}: ${event.message as string}`);

  it('registers nodes that say they are simulated, with leases', async () => {
    await start({ nodes: 3, nodeName: undefined, namePrefix: 'sim' });
    const nodes = api.all<Node>(NODES);
    expect(nodes.map(({ metadata }) => metadata.name)).toEqual(['sim-0', 'sim-1', 'sim-2']);
    expect(nodes[0]!.metadata.labels).toMatchObject({
      'kubernel.dev/simulated': 'true',
      'kubernetes.io/hostname': 'sim-0',
      'kubernetes.io/os': 'linux',
    });
    expect(nodes[0]!.status!.conditions!.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True', reason: 'KubeletReady' });
    expect(nodes[0]!.status!.nodeInfo).toMatchObject({ containerRuntimeVersion: 'kubernel-sim://0.1.0' });
    expect(api.all<Lease>(LEASES).map(({ spec }) => spec?.holderIdentity)).toEqual(['sim-0', 'sim-1', 'sim-2']);
  });

  it('runs a pod, says so in its status and its events, and takes it down when it is deleted', async () => {
    await start();
    api.put(PODS, pod('web'));
    await expect.poll(() => phase('web')).toBe('Running');
    const { status } = get('web')!;
    expect(status).toMatchObject({ podIP: expect.stringMatching(/^10\.128\./), qosClass: 'BestEffort' });
    expect(status!.conditions!.map(({ type, status: value }) => `${type}=${value}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ]);
    expect(status!.containerStatuses![0]).toMatchObject({
      name: 'main',
      ready: true,
      started: true,
      restartCount: 0,
      containerID: expect.stringMatching(/^kubernel-sim:\/\/[0-9a-f]{64}$/),
    });
    await expect
      .poll(events)
      .toEqual([
        'Pulling: Pulling image "app:1"',
        expect.stringMatching(/^Pulled: Successfully pulled image "app:1" in /),
        'Created: Container created',
        'Started: Container started',
      ]);
    await createClient(api).delete(PODS, 'web', { namespace: 'default' });
    await expect.poll(() => get('web')).toBeUndefined();
    await expect.poll(() => sim.instance.listPodSandbox()).toEqual([]);
    expect(complaints.filter((line) => !line.includes('the cluster CA is not on this machine'))).toEqual([]);
  });

  it('counts simulated containers as well, whatever their probes ask', async () => {
    await start();
    const probe = { httpGet: { path: '/', port: 80 } };
    const sidecar = { name: 'side', image: 'app:1', restartPolicy: 'Always' as const, startupProbe: probe };
    api.put(
      PODS,
      pod('probed', {
        initContainers: [sidecar],
        containers: [{ name: 'main', image: 'app:1', readinessProbe: probe, startupProbe: probe }],
      }),
    );
    await expect.poll(() => get('probed')?.status?.containerStatuses?.[0]?.ready).toBe(true);
  });

  it('runs init containers one after the other before the others', async () => {
    await start();
    const init = (name: string) => ({ name, image: 'app:1', command: ['sleep', '0.05'] });
    api.put(PODS, pod('ordered', { initContainers: [init('first'), init('second')] }));
    await expect.poll(() => phase('ordered')).toBe('Running');
    const [first, second] = get('ordered')!.status!.initContainerStatuses!;
    expect(first!.state!.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect(second!.ready).toBe(true);
  });

  it('ends pods that are not to restart as Succeeded or Failed, and gives their address back', async () => {
    await start();
    api.put(PODS, pod('good', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app:1', command: ['true'] }] }));
    api.put(PODS, pod('bad', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app:1', command: ['sh', '-c', 'exit 3'] }] }));
    await expect.poll(() => phase('good')).toBe('Succeeded');

    await expect.poll(() => phase('bad')).toBe('Failed');
    expect(get('bad')!.status!.containerStatuses![0]!.state!.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    await expect
      .poll(async () => (await sim.instance.listPodSandbox()).map(({ state }) => state))
      .toEqual(['SANDBOX_NOTREADY', 'SANDBOX_NOTREADY']);
  });

  it('restarts a container that ends at once, and then with CrashLoopBackOff', async () => {
    await start();
    api.put(PODS, pod('crash', { containers: [{ name: 'main', image: 'app:1', command: ['false'] }] }));
    await expect.poll(() => get('crash')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('CrashLoopBackOff');
    const status = get('crash')!.status!.containerStatuses![0]!;
    expect(status).toMatchObject({ restartCount: 1, ready: false, lastState: { terminated: { exitCode: 1 } } });
    expect(status.state!.waiting!.message).toMatch(/^back-off 10s restarting failed container=main pod=crash_default\(/);
    expect(phase('crash')).toBe('Running');
  });

  it('says why an image does not come', async () => {
    await start();
    api.put(PODS, pod('none', { containers: [{ name: 'main', image: 'missing:1' }] }));
    const reason = () => get('none')?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
    await expect.poll(reason).toBe('ErrImagePull');
    await expect.poll(reason, { timeout: 5_000 }).toBe('ImagePullBackOff');
    expect(phase('none')).toBe('Pending');
    expect(events()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Failed: Failed to pull image "missing:1": /),
        'Failed: Error: ErrImagePull',
        'BackOff: Back-off pulling image "missing:1"',
      ]),
    );
  });

  it('waits for a config map that is not there, and starts when it comes', async () => {
    await start();
    const container = {
      name: 'main',
      image: 'app:1',
      env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }],
    };
    api.put(PODS, pod('patient', { containers: [container] }));
    await expect
      .poll(() => get('patient')?.status?.containerStatuses?.[0]?.state?.waiting)
      .toEqual({ reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' });
    api.put({ group: '', resource: 'configmaps' }, { metadata: { name: 'settings', namespace: 'default' }, data: { a: '1' } });
    await expect.poll(() => phase('patient')).toBe('Running');
  });

  it('adopts running pods when it is replaced, without restarting them', async () => {
    await start();
    api.put(PODS, pod('stay'));
    await expect.poll(() => phase('stay')).toBe('Running');
    const before = get('stay')!.status!.containerStatuses![0]!.containerID;
    await kubelet!.stop();
    api.put(PODS, pod('new'));
    await start();
    await expect.poll(() => phase('new')).toBe('Running');
    expect(get('stay')!.status!.containerStatuses![0]).toMatchObject({ containerID: before, restartCount: 0 });
    expect((await sim.instance.listContainers()).length).toBe(2);
  });

  it('counts a restart when the runtime lost what ran', async () => {
    await start();
    api.put(PODS, pod('lost'));
    await expect.poll(() => phase('lost')).toBe('Running');
    await kubelet!.instance.shutdown!();
    await kubelet!.stop();
    expect(await sim.instance.listPodSandbox()).toEqual([]);
    await start();
    await expect.poll(() => get('lost')?.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
  });

  it('ends what runs for pods that were deleted while no kubelet looked', async () => {
    await start();
    api.put(PODS, pod('gone'));
    await expect.poll(() => phase('gone')).toBe('Running');
    await kubelet!.stop();
    api.remove(PODS, 'default/gone');
    await start();
    await expect.poll(() => sim.instance.listPodSandbox()).toEqual([]);
  });

  it('runs a thousand pods on a hundred nodes in a few seconds', async () => {
    await start({ nodes: 100, nodeName: undefined });
    const began = Date.now();
    for (let i = 0; i < 1000; i++) api.put(PODS, pod(`p-${i}`, { nodeName: `node-${i % 100}` }));
    await expect
      .poll(() => api.all<Pod>(PODS).filter(({ status }) => status?.phase === 'Running').length, { timeout: 20_000, interval: 100 })
      .toBe(1000);
    if (process.env.KUBERNEL_TEST_LOG) console.error(`1000 pods in ${Date.now() - began} ms`);
  }, 30_000);
});

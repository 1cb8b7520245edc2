import type { CoreEvent, Lease, Node, Pod, Taint } from '@kubernel/sdk/api';
import { EVENTS, LEASES, microTimestamp, NODES, PODS, timestamp } from '@kubernel/sdk/client';
import { FakeApi, type FakeContext, fakeContext } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import plugins from './index.ts';
import { BlockRange } from './ipam/ranges.ts';
import { evictionTime, type LeanPod } from './lifecycle/eviction.ts';
import { DEFAULT_RATES, Zones } from './lifecycle/zones.ts';

let api: FakeApi;
let ctx: FakeContext<Record<string, unknown>>;
let beats: ReturnType<typeof setInterval> | undefined;
/** Nodes that renew their lease. */
const alive = new Set<string>();

beforeEach(() => {
  api = new FakeApi();
  ctx = fakeContext<Record<string, unknown>>(api);
});
afterEach(async () => {
  clearInterval(beats);
  alive.clear();
  await ctx.dispose();
  expect(ctx.reports).toEqual([]);
});

async function start(name: string, config: Record<string, unknown> = {}, cluster = ctx.cluster): Promise<void> {
  const contract = (await plugins.find((plugin) => plugin.name === name)?.hooks.start({ ...ctx, config, cluster } as never)) as {
    check(): string | undefined;
  };
  await eventually(() => expect(contract.check()).toBeUndefined());
}

function node(name: string, ready: 'True' | 'False' | 'Unknown' | null = 'True', change: Partial<Node> = {}): Node {
  const stamp = timestamp();
  const conditions = ready
    ? [{ type: 'Ready', status: ready, reason: 'KubeletReady', lastHeartbeatTime: stamp, lastTransitionTime: stamp }]
    : [];
  return api.put<Node>(NODES, { metadata: { name }, ...change, status: { conditions, ...change.status } });
}

/** Renews the leases of the nodes that are alive, fast enough for a grace of 600 ms. */
function beat(): void {
  const renew = (): void => {
    for (const name of alive)
      api.put<Lease>(LEASES, {
        metadata: { name, namespace: 'kube-node-lease' },
        spec: { holderIdentity: name, renewTime: microTimestamp() },
      });
  };
  renew();
  beats = setInterval(renew, 30);
}

const taints = (name: string): string[] =>
  (api.get<Node>(NODES, name)?.spec?.taints ?? []).map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`).sort();
const ready = (name: string): string | undefined => {
  const condition = api.get<Node>(NODES, name)?.status?.conditions?.find(({ type }) => type === 'Ready');
  return condition && `${condition.status} ${condition.reason} ${condition.message ?? ''}`;
};
const QUICK = { gracePeriodSeconds: 0.6, startupGraceSeconds: 0.6 };
/** Machines may be busy; what happens at all happens within this. */
const eventually = (check: () => void, { timeout = 5000 } = {}): Promise<void> => vi.waitFor(check, { timeout });

function pod(name: string, nodeName: string, tolerations: NonNullable<Pod['spec']['tolerations']> = []): Pod {
  return api.put<Pod>(PODS, {
    metadata: { name, namespace: 'x' },
    spec: { containers: [], nodeName, tolerations, terminationGracePeriodSeconds: 0 },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

test('a node that renews its lease stays ready, one that falls silent becomes unknown, is tainted, and its pods are not ready', async () => {
  for (const name of ['n1', 'n2']) {
    node(name);
    alive.add(name);
  }
  pod('p', 'n2', [{ operator: 'Exists' }]);
  beat();
  await start('node-lifecycle', QUICK);
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect([ready('n1'), ready('n2')]).toEqual(['True KubeletReady ', 'True KubeletReady ']);
  alive.delete('n2');
  await eventually(() => expect(ready('n2')).toBe('Unknown NodeStatusUnknown Kubelet stopped posting node status.'));
  await eventually(() => expect(taints('n2')).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule']));
  expect(ready('n1')).toBe('True KubeletReady ');
  await eventually(() => expect(api.get<Pod>(PODS, 'x/p')?.status?.conditions?.[0]?.status).toBe('False'));
  await eventually(() => expect(api.all<CoreEvent>(EVENTS).map(({ message }) => message)).toContain('Node n2 status is now: NodeNotReady'));

  // It comes back: its kubelet writes its status, and the taints go.
  alive.add('n2');
  node('n2', 'True', { spec: api.get<Node>(NODES, 'n2')?.spec as Node['spec'] });
  await eventually(() => expect(taints('n2')).toEqual([]));
});

test('a node that never said anything is told apart', async () => {
  node('n1');
  alive.add('n1');
  beat();
  node('mute', null);
  await start('node-lifecycle', QUICK);
  await eventually(() => expect(ready('mute')).toBe('Unknown NodeStatusNeverUpdated Kubelet never posted node status.'));
});

test('conditions and cordoning are told as NoSchedule taints, and those of others are left alone', async () => {
  node('n1');
  alive.add('n1');
  beat();
  await start('node-lifecycle', QUICK);
  const own: Taint = { key: 'example.com/gpu', effect: 'NoSchedule' };
  const pressure = { type: 'MemoryPressure', status: 'True' as const };
  const current = api.get<Node>(NODES, 'n1') as Node;
  api.put<Node>(NODES, {
    ...current,
    spec: { unschedulable: true, taints: [own] },
    status: { conditions: [...(current.status?.conditions ?? []), pressure] },
  });
  await eventually(() =>
    expect(taints('n1')).toEqual(['example.com/gpu:NoSchedule', 'memory-pressure:NoSchedule', 'unschedulable:NoSchedule']),
  );
  const tainted = api.get<Node>(NODES, 'n1') as Node;
  api.put<Node>(NODES, {
    ...tainted,
    spec: { ...tainted.spec, unschedulable: false },
    status: { conditions: current.status?.conditions ?? [] },
  });
  await eventually(() => expect(taints('n1')).toEqual(['example.com/gpu:NoSchedule']));
});

test('when every node is silent it is us, and no pod is evicted', async () => {
  for (const name of ['n1', 'n2', 'n3']) node(name);
  pod('p', 'n1');
  await start('node-lifecycle', QUICK);
  await eventually(() => expect(['n1', 'n2', 'n3'].map(ready).every((text) => text?.startsWith('Unknown'))).toBe(true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(['n1', 'n2', 'n3'].flatMap(taints)).toEqual(Array(3).fill('unreachable:NoSchedule'));
  expect(api.get(PODS, 'x/p')).toBeTruthy();
});

test('nodes of one zone are emptied one after the other, ten seconds apart', () => {
  const zones = new Zones(DEFAULT_RATES);
  const zone = { total: 5, unwell: 2 };
  expect(zones.take('z', zone, 0)).toBe(0);
  expect(zones.take('z', zone, 1000)).toBe(9000);
  expect(zones.take('other', zone, 1000)).toBe(0);
  expect(zones.take('z', zone, 10_000)).toBe(0);
  // More than 55% of a small zone: nothing at all; of a large one: slower.
  expect(zones.take('small', { total: 4, unwell: 3 }, 0)).toBeUndefined();
  const large = { total: 60, unwell: 40 };
  expect(zones.take('large', large, 0)).toBe(0);
  expect(zones.take('large', large, 1)).toBe(99_999);
});

test('a pod goes at once, after its seconds, or never, as it tolerates', async () => {
  node('n1');
  node('n2');
  alive.add('n1').add('n2');
  beat();
  const key = 'example.com/maintenance';
  pod('intolerant', 'n1');
  pod('patient', 'n1', [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 2 }]);
  pod('stoic', 'n1', [{ operator: 'Exists' }]);
  pod('elsewhere', 'n2');
  const conditions: unknown[] = [];
  api.onChange = (type, resource, object) => {
    if (type === 'DELETED' && resource === 'pods')
      conditions.push((object as Pod).status?.conditions?.find((condition) => condition.type === 'DisruptionTarget'));
  };
  await start('node-lifecycle', { gracePeriodSeconds: 30 });
  const names = (): (string | undefined)[] => api.all<Pod>(PODS).map(({ metadata }) => metadata.name);
  const current = api.get<Node>(NODES, 'n1') as Node;
  api.put<Node>(NODES, { ...current, spec: { taints: [{ key, effect: 'NoExecute', timeAdded: timestamp() }] } });
  await eventually(() => expect(names()).toEqual(['patient', 'stoic', 'elsewhere']));
  expect(conditions).toMatchObject([
    { status: 'True', reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' },
  ]);
  // A pod that comes to the node later is judged too.
  pod('late', 'n1');
  await eventually(() => expect(names()).not.toContain('late'));
  await eventually(() => expect(names()).toEqual(['stoic', 'elsewhere']), { timeout: 5000 });
});

test('an eviction is called off when the taint goes in time', async () => {
  node('n1');
  node('n2');
  pod('patient', 'n1', [{ operator: 'Exists', tolerationSeconds: 300 }]);
  await start('node-lifecycle');
  const current = api.get<Node>(NODES, 'n1') as Node;
  const tainted = api.put<Node>(NODES, { ...current, spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } });
  await new Promise((resolve) => setTimeout(resolve, 50));
  api.put<Node>(NODES, { ...tainted, spec: {} });
  await eventually(() =>
    expect(api.all<CoreEvent>(EVENTS).map(({ message }) => message)).toContain('Cancelling deletion of Pod x/patient'),
  );
});

test('the shortest toleration counts, from when the taint was added or the pod was made', () => {
  const lean = (tolerations: LeanPod['tolerations'], createdMs = 0): LeanPod =>
    ({ metadata: { creationTimestamp: timestamp(createdMs) }, nodeName: 'n', finished: false, tolerations, conditions: [] }) as LeanPod;
  const taint: Taint = { key: 'k', effect: 'NoExecute', timeAdded: timestamp(100_000) };
  expect(evictionTime(lean([]), [taint])).toBe(100_000);
  expect(evictionTime(lean([{ operator: 'Exists' }]), [taint])).toBeUndefined();
  expect(
    evictionTime(
      lean([
        { operator: 'Exists', tolerationSeconds: 60 },
        { key: 'k', operator: 'Exists', tolerationSeconds: 30 },
      ]),
      [taint],
    ),
  ).toBe(130_000);
  expect(evictionTime(lean([{ operator: 'Exists', tolerationSeconds: 30 }], 200_000), [taint])).toBe(230_000);
  expect(
    evictionTime(lean([{ key: 'k', operator: 'Exists' }]), [taint, { key: 'other', effect: 'NoExecute', timeAdded: timestamp(150_000) }]),
  ).toBe(150_000);
});

// ---------------------------------------------------------------------------------------------- ipam

const cidrs = (): (string | undefined)[] => api.all<Node>(NODES).map(({ spec }) => spec?.podCIDR);

test('each node gets a block of its own, those that have one keep it', async () => {
  node('old', 'True', { spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] } });
  for (const name of ['a', 'b', 'c']) node(name);
  await start('node-ipam');
  await eventually(() => expect(cidrs()).toEqual(['10.244.1.0/24', '10.244.0.0/24', '10.244.2.0/24', '10.244.3.0/24']));
  expect(api.get<Node>(NODES, 'a')?.spec?.podCIDRs).toEqual(['10.244.0.0/24']);
});

test('a range that is used up says so, and gives a block as soon as one is free', async () => {
  node('a');
  node('b');
  await start('node-ipam', { nodeMaskIPv4: 24 }, { ...ctx.cluster, podCIDRs: ['10.244.7.0/24', 'fd00::/48'] });
  await eventually(() => expect(cidrs()).toEqual(['10.244.7.0/24', undefined]));
  await eventually(() => expect(api.all<CoreEvent>(EVENTS).map(({ reason }) => reason)).toEqual(['CIDRNotAvailable']));
  await eventually(() => expect(api.watches).toBe(1));
  api.remove(NODES, 'a');
  await eventually(() => expect(api.get<Node>(NODES, 'b')?.spec?.podCIDRs).toEqual(['10.244.7.0/24', 'fd00:0:0:1::/64']));
});

test('a range gives every block once, knows blocks of other sizes, and refuses what does not fit', () => {
  const range = new BlockRange('10.0.0.0/22', 24);
  range.occupy('10.0.0.0/23');
  range.occupy('192.168.0.0/24');
  expect([range.allocate(), range.allocate(), range.allocate()]).toEqual(['10.0.2.0/24', '10.0.3.0/24', undefined]);
  range.release('10.0.3.0/24');
  expect(range.allocate()).toBe('10.0.3.0/24');
  expect(() => new BlockRange('10.0.0.0/25', 24)).toThrow(/no blocks of \/24/);
});

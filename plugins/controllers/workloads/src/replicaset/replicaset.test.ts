import { StatusError } from '@kubernel/sdk';
import type { CoreEvent, Pod, ReplicaSet } from '@kubernel/sdk/api';
import { controllerOf, EVENTS, PODS, REPLICA_SETS, timestamp } from '@kubernel/sdk/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeCluster } from '../../test/cluster.ts';
import { inGrowingBatches } from './batches.ts';
import { type LeanPod, podsToDelete } from './pods.ts';

let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await new FakeCluster().start('replicaset');
});
afterEach(() => cluster.stop());

function put(replicas: number, change: Partial<ReplicaSet['spec']> = {}): ReplicaSet {
  const existing = cluster.api.get<ReplicaSet>(REPLICA_SETS, 'x/rs');
  return cluster.api.put<ReplicaSet>(REPLICA_SETS, {
    ...(existing ?? {}),
    metadata: existing?.metadata ?? { name: 'rs', namespace: 'x' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a', tier: 'b' }, annotations: { note: 'n' } },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
      ...change,
    },
  });
}

function pod(name: string, labels: Record<string, string>): Pod {
  return cluster.api.put<Pod>(PODS, { metadata: { name, namespace: 'x', labels }, spec: { containers: [] } });
}

const status = (): ReplicaSet['status'] => cluster.api.get<ReplicaSet>(REPLICA_SETS, 'x/rs')?.status;
const reasons = (): string[] => cluster.api.all<CoreEvent>(EVENTS).map(({ reason, message }) => `${reason} ${message}`);

test('pods are made from the template, are owned, and are told of in events', async () => {
  put(2);
  await cluster.quiet();
  const pods = cluster.pods();
  expect(pods).toHaveLength(2);
  expect(pods[0]?.metadata).toMatchObject({
    name: expect.stringMatching(/^rs-\w{5}$/),
    labels: { app: 'a', tier: 'b' },
    annotations: { note: 'n' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', controller: true, blockOwnerDeletion: true }],
  });
  expect(reasons().sort()).toEqual(pods.map(({ metadata }) => `SuccessfulCreate Created pod: ${metadata.name}`).sort());
  expect(status()).toMatchObject({ replicas: 2, fullyLabeledReplicas: 2, observedGeneration: 1 });
});

test('a pod that is deleted or fails is replaced', async () => {
  put(2);
  await cluster.quiet();
  await cluster.settle();
  const [first, second] = cluster.pods() as [Pod, Pod];
  cluster.api.remove(PODS, `x/${first.metadata.name}`);
  cluster.api.put<Pod>(PODS, { ...second, status: { phase: 'Failed' } });
  await cluster.quiet();
  expect(cluster.pods().filter(({ status: s }) => s?.phase !== 'Failed')).toHaveLength(2);
});

test('orphans that match are adopted instead of creating pods, those that stop matching are let go', async () => {
  pod('orphan', { app: 'a' });
  pod('stranger', { app: 'z' });
  put(2);
  await cluster.quiet();
  expect(cluster.pods()).toHaveLength(3);
  expect(controllerOf(cluster.api.get<Pod>(PODS, 'x/orphan') as Pod)?.name).toBe('rs');
  const orphan = cluster.api.get<Pod>(PODS, 'x/orphan') as Pod;
  cluster.api.put<Pod>(PODS, { ...orphan, metadata: { ...orphan.metadata, labels: { app: 'debug' } } });
  await cluster.quiet();
  expect(cluster.api.get<Pod>(PODS, 'x/orphan')?.metadata.ownerReferences).toBeUndefined();
  expect(cluster.pods().filter((item) => controllerOf(item)?.name === 'rs')).toHaveLength(2);
  expect(status()?.replicas).toBe(2);
});

test('a quota that refuses the first pod is asked once, not once for each pod, until it allows', async () => {
  let refuse = true;
  cluster.api.onRequest = ({ method, path }) => {
    if (refuse && method === 'POST' && path.endsWith('/pods')) throw new StatusError(403, 'Forbidden', 'exceeded quota');
  };
  put(50);
  await cluster.quiet();
  const tries = cluster.api.requests.filter((request) => request === 'POST /api/v1/namespaces/x/pods').length;
  expect(tries).toBeLessThan(8);
  expect(status()?.conditions).toMatchObject([
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' },
  ]);
  expect(reasons()[0]).toBe('FailedCreate Error creating: exceeded quota');
  refuse = false;
  await cluster.quiet(200);
  expect(cluster.pods()).toHaveLength(50);
  expect(status()?.conditions ?? []).toEqual([]);
});

test('pods are not created twice while the watch is behind', async () => {
  // It hears of its pods only later, but of changes to the replica set at once.
  cluster.api.hold(PODS);
  put(5);
  await cluster.quiet();
  put(6);
  await cluster.quiet();
  expect(cluster.pods()).toHaveLength(5);
  cluster.api.release(PODS);
  await cluster.quiet();
  expect(cluster.pods()).toHaveLength(6);
  cluster.api.hold(PODS);
  put(4);
  await cluster.quiet();
  put(3);
  await cluster.quiet();
  expect(cluster.pods()).toHaveLength(4);
  cluster.api.release(PODS);
  await cluster.quiet();
  expect(cluster.pods()).toHaveLength(3);
});

test('a lost watch does not make it create or delete too many', async () => {
  put(5);
  await cluster.quiet();
  cluster.api.disconnect();
  cluster.api.compact();
  put(8);
  await cluster.quiet(150);
  expect(cluster.pods()).toHaveLength(8);
});

test('a replica set that is being deleted makes no more pods', async () => {
  const rs = put(2);
  await cluster.quiet();
  cluster.api.put<ReplicaSet>(REPLICA_SETS, { ...rs, metadata: { ...rs.metadata, finalizers: ['x'], deletionTimestamp: timestamp() } });
  await cluster.quiet();
  cluster.api.remove(PODS, `x/${cluster.pods()[0]?.metadata.name}`);
  await cluster.quiet();
  expect(cluster.pods()).toHaveLength(1);
});

test('a pod is available only after minReadySeconds, and that is noticed without an event', async () => {
  put(1, { minReadySeconds: 2 });
  await cluster.quiet();
  await cluster.settle();
  expect(status()).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
  await vi.waitFor(() => expect(status()).toMatchObject({ readyReplicas: 1, availableReplicas: 1 }), { timeout: 5000 });
});

test('pods to delete are ranked: unscheduled, pending, not ready, cheap, crowded, newly ready, restarted, young', () => {
  const now = Date.UTC(2026, 0, 2);
  const lean = (name: string, change: Partial<LeanPod> = {}, cost?: string, createdHoursAgo = 5): LeanPod => ({
    metadata: {
      name,
      uid: name,
      creationTimestamp: timestamp(now - createdHoursAgo * 3_600_000),
      ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}),
    },
    nodeName: 'n1',
    phase: 'Running',
    ready: true,
    readySinceMs: now - 4 * 3_600_000,
    restarts: 0,
    ...change,
  });
  const pods = [
    lean('settled', {}, undefined, 500),
    lean('young'),
    lean('restarted', { restarts: 3 }),
    lean('newly-ready', { readySinceMs: now - 60_000 }),
    lean('crowded', { nodeName: 'n2' }),
    lean('cheap', {}, '-5'),
    lean('dear', { readySinceMs: now - 1 }, '100'),
    lean('not-ready', { ready: false, readySinceMs: 0 }),
    lean('pending', { phase: 'Pending', ready: false }),
    lean('unscheduled', { nodeName: '', phase: 'Pending', ready: false }),
  ];
  const related = [...pods, ...Array.from({ length: 20 }, (_, i) => lean(`other-${i}`, { nodeName: 'n2' }))];
  const order = podsToDelete(pods, 9, related, now).map(({ metadata }) => metadata.name);
  expect(order).toEqual(['unscheduled', 'pending', 'not-ready', 'cheap', 'crowded', 'newly-ready', 'restarted', 'young', 'settled']);
});

test('batches double, and none follows a failure', async () => {
  let calls = 0;
  expect(await inGrowingBatches(10, async () => void calls++)).toEqual({ done: 10 });
  calls = 0;
  const error = new Error('no');
  const outcome = await inGrowingBatches(10, async () => {
    if (++calls === 2) throw error;
  });
  expect(outcome).toEqual({ done: 3, error });
  expect(calls).toBe(3);
});

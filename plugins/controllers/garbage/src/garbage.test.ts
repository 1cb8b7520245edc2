import type { KubeObject, OwnerReference, Pod } from '@kubernel/sdk/api';
import { CLUSTER_ROLES, CONFIG_MAPS, createClient, DEPLOYMENTS, NODES, PODS, REPLICA_SETS, timestamp } from '@kubernel/sdk/client';
import { FakeApi, type FakeContext, fakeContext } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import plugins from './index.ts';

let api: FakeApi;
let ctx: FakeContext<Record<string, unknown>>;
let lastChange = 0;
const client = () => createClient(api);

beforeEach(() => {
  api = new FakeApi();
  api.onChange = () => {
    lastChange = performance.now();
  };
  ctx = fakeContext<Record<string, unknown>>(api);
});
afterEach(() => ctx.dispose());

async function start(name = 'garbage-collector', config: Record<string, unknown> = {}): Promise<void> {
  const contract = (await plugins.find((plugin) => plugin.name === name)?.hooks.start({ ...ctx, config } as never)) as {
    check(): string | undefined;
  };
  await vi.waitFor(() => expect(contract.check()).toBeUndefined());
}

async function quiet(ms = 40): Promise<void> {
  lastChange = performance.now();
  while (performance.now() - lastChange < ms) await new Promise((resolve) => setTimeout(resolve, 5));
}

function owned(name: string, ...owners: (KubeObject | OwnerReference)[]): KubeObject {
  const ownerReferences = owners.map((owner): OwnerReference => {
    if (!('metadata' in owner)) return owner as OwnerReference;
    const { apiVersion = '', kind = '', metadata } = owner as KubeObject;
    return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', blockOwnerDeletion: true };
  });
  return { metadata: { name, namespace: 'x', ...(ownerReferences.length > 0 ? { ownerReferences } : {}) } };
}

const names = (resource: { group: string; resource: string }): (string | undefined)[] =>
  api
    .all(resource)
    .map(({ metadata }) => metadata.name)
    .sort();

/** web (Deployment) > web-1 (ReplicaSet) > two pods. */
function family(): KubeObject {
  const deployment = api.put(DEPLOYMENTS, owned('web'));
  const rs = api.put(REPLICA_SETS, owned('web-1', deployment));
  for (const name of ['a', 'b']) api.put(PODS, { ...owned(name, rs), spec: { containers: [] } } as Pod);
  return deployment;
}

test('in the background the owner goes at once and all that it owned, directly or not, follows', async () => {
  family();
  api.put(CONFIG_MAPS, owned('unowned'));
  await start();
  await client().delete(DEPLOYMENTS, 'web', { namespace: 'x', propagationPolicy: 'Background' });
  expect(names(DEPLOYMENTS)).toEqual([]);
  await vi.waitFor(() => expect(names(PODS)).toEqual([]));
  expect(names(REPLICA_SETS)).toEqual([]);
  expect(names(CONFIG_MAPS)).toEqual(['unowned']);
});

test('in the foreground the dependents go first and the owner last', async () => {
  family();
  await start();
  // The kubelet of pod b takes its time.
  api.put(PODS, { ...(api.get<Pod>(PODS, 'x/b') as Pod), spec: { containers: [], nodeName: 'n1' } });
  await client().delete(DEPLOYMENTS, 'web', { namespace: 'x', propagationPolicy: 'Foreground' });
  await quiet();
  expect(names(PODS)).toEqual(['b']);
  expect(api.get(DEPLOYMENTS, 'x/web')?.metadata).toMatchObject({
    finalizers: ['foregroundDeletion'],
    deletionTimestamp: expect.any(String),
  });
  expect(api.get(REPLICA_SETS, 'x/web-1')?.metadata).toMatchObject({
    finalizers: ['foregroundDeletion'],
    deletionTimestamp: expect.any(String),
  });
  api.remove(PODS, 'x/b');
  await vi.waitFor(() => expect(names(DEPLOYMENTS)).toEqual([]));
  expect(names(REPLICA_SETS)).toEqual([]);
});

test('a dependent that does not block is deleted but not waited for', async () => {
  const owner = api.put(DEPLOYMENTS, owned('web'));
  const reference: OwnerReference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: owner.metadata.uid ?? '' };
  const held = owned('held', reference);
  held.metadata.finalizers = ['example.com/hold'];
  api.put(CONFIG_MAPS, held);
  await start();
  await client().delete(DEPLOYMENTS, 'web', { namespace: 'x', propagationPolicy: 'Foreground' });
  await vi.waitFor(() => expect(names(DEPLOYMENTS)).toEqual([]));
  await vi.waitFor(() => expect(api.get(CONFIG_MAPS, 'x/held')?.metadata.deletionTimestamp).toBeTruthy());
});

test('orphans live on without their owner', async () => {
  family();
  await start();
  await client().delete(DEPLOYMENTS, 'web', { namespace: 'x', propagationPolicy: 'Orphan' });
  await vi.waitFor(() => expect(names(DEPLOYMENTS)).toEqual([]));
  await quiet();
  expect(api.get(REPLICA_SETS, 'x/web-1')?.metadata.ownerReferences).toBeUndefined();
  expect(names(PODS)).toEqual(['a', 'b']);
});

test('an object with several owners stays while one of them does, and forgets the others', async () => {
  const one = api.put(DEPLOYMENTS, owned('one'));
  const two = api.put(DEPLOYMENTS, owned('two'));
  api.put(CONFIG_MAPS, owned('shared', one, two));
  await start();
  await client().delete(DEPLOYMENTS, 'one', { namespace: 'x' });
  await vi.waitFor(() => expect(api.get(CONFIG_MAPS, 'x/shared')?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['two']));
  await client().delete(DEPLOYMENTS, 'two', { namespace: 'x' });
  await vi.waitFor(() => expect(names(CONFIG_MAPS)).toEqual([]));
});

test('while one owner goes, the other is not taken for it', async () => {
  // The first owner is looked up just as the object's owners change: a verdict holds for the version it was made of.
  const one = api.put(CONFIG_MAPS, owned('one'));
  const two = api.put(CONFIG_MAPS, owned('two'));
  const child = owned('child', one, two);
  for (const reference of child.metadata.ownerReferences ?? []) reference.blockOwnerDeletion = false;
  api.put(CONFIG_MAPS, child);
  await start();
  await client().delete(CONFIG_MAPS, 'one', { namespace: 'x', propagationPolicy: 'Foreground' });
  await vi.waitFor(() => expect(names(CONFIG_MAPS)).not.toContain('one'));
  await quiet();
  expect(names(CONFIG_MAPS)).toEqual(['child', 'two']);
  expect(api.get(CONFIG_MAPS, 'x/child')?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['two']);
});

test('owners in a circle do not keep each other from being deleted in the foreground', async () => {
  const one = api.put(CONFIG_MAPS, owned('one'));
  const two = api.put(CONFIG_MAPS, owned('two', one));
  const three = api.put(CONFIG_MAPS, owned('three', two));
  api.put(CONFIG_MAPS, { ...one, metadata: { ...one.metadata, ownerReferences: owned('', three).metadata.ownerReferences ?? [] } });
  await start();
  await client().delete(CONFIG_MAPS, 'one', { namespace: 'x', propagationPolicy: 'Foreground' });
  await vi.waitFor(() => expect(names(CONFIG_MAPS)).toEqual([]), { timeout: 3000 });
});

test('an owner that never existed, or exists with another uid, is no owner', async () => {
  const real = api.put(DEPLOYMENTS, owned('real'));
  const reference = (name: string, uid: string): OwnerReference => ({ apiVersion: 'apps/v1', kind: 'Deployment', name, uid });
  api.put(CONFIG_MAPS, owned('of-nobody', reference('none', 'u1')));
  api.put(CONFIG_MAPS, owned('of-predecessor', reference('real', 'old-uid')));
  api.put(CONFIG_MAPS, owned('of-real', real));
  await start();
  await vi.waitFor(() => expect(names(CONFIG_MAPS)).toEqual(['of-real']));
  // An uid that is right with a name that is not is not the same owner either.
  api.put(CONFIG_MAPS, owned('liar', reference('other-name', real.metadata.uid ?? '')));
  await quiet();
  expect(names(CONFIG_MAPS)).toEqual(['of-real']);
});

test('a thousand dependents of a missing owner cost one question about it', async () => {
  for (let i = 0; i < 300; i++) api.put(CONFIG_MAPS, owned(`c${i}`, { apiVersion: 'apps/v1', kind: 'Deployment', name: 'none', uid: 'u' }));
  await start();
  await vi.waitFor(() => expect(names(CONFIG_MAPS)).toEqual([]), { timeout: 5000 });
  expect(api.requests.filter((request) => request.startsWith('GET') && request.includes('deployments/none'))).toHaveLength(1);
});

test('an owner that its watch has not brought yet is asked for and not taken for absent', async () => {
  await start();
  api.hold(DEPLOYMENTS);
  const owner = api.put(DEPLOYMENTS, owned('late'));
  api.put(CONFIG_MAPS, owned('early', owner));
  await quiet();
  expect(names(CONFIG_MAPS)).toEqual(['early']);
  api.release(DEPLOYMENTS);
  await quiet();
  await client().delete(DEPLOYMENTS, 'late', { namespace: 'x' });
  await vi.waitFor(() => expect(names(CONFIG_MAPS)).toEqual([]));
});

test('an object that got a new owner just before is not deleted for the old one', async () => {
  const one = api.put(DEPLOYMENTS, owned('one'));
  const two = api.put(DEPLOYMENTS, owned('two'));
  const child = api.put(CONFIG_MAPS, owned('child', one));
  await start();
  // The collector hears late that the child moved.
  api.hold(CONFIG_MAPS);
  api.put(CONFIG_MAPS, { ...child, metadata: { ...child.metadata, ownerReferences: owned('', two).metadata.ownerReferences ?? [] } });
  await client().delete(DEPLOYMENTS, 'one', { namespace: 'x' });
  await quiet();
  expect(names(CONFIG_MAPS)).toEqual(['child']);
});

test('a namespaced owner of a cluster-scoped object is an error of the writer, and deletes nothing', async () => {
  const owner = api.put(DEPLOYMENTS, owned('web'));
  const role = owned('role', owner);
  delete role.metadata.namespace;
  api.put(CLUSTER_ROLES, role);
  await start();
  await client().delete(DEPLOYMENTS, 'web', { namespace: 'x' });
  await quiet();
  expect(names(CLUSTER_ROLES)).toEqual(['role']);
});

test('custom resources own and are owned like all others, also those that come later', async () => {
  await start();
  const widgets = { group: 'example.com', version: 'v1', resource: 'widgets', kind: 'Widget' };
  api.serve(widgets);
  const widget = api.put(widgets, owned('w'));
  // Its kind is not known yet: nothing is deleted for that, and the kind is looked for.
  api.put(CONFIG_MAPS, owned('of-widget', { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: widget.metadata.uid ?? '' }));
  await quiet(400);
  expect(names(CONFIG_MAPS)).toEqual(['of-widget']);
  await client().delete(widgets, 'w', { namespace: 'x' });
  await vi.waitFor(() => expect(names(CONFIG_MAPS)).toEqual([]), { timeout: 3000 });
});

test('a lost watch and a compaction make no difference', async () => {
  family();
  await start();
  api.disconnect();
  await client().delete(DEPLOYMENTS, 'web', { namespace: 'x' });
  api.compact();
  await vi.waitFor(() => expect(names(PODS)).toEqual([]), { timeout: 3000 });
});

// ---------------------------------------------------------------------------------------------- pod-gc

const pod = (name: string, spec: Partial<Pod['spec']>, more: Partial<Pod> = {}): Pod =>
  api.put<Pod>(PODS, { ...more, metadata: { name, namespace: 'x', ...more.metadata }, spec: { containers: [], ...spec } });

test('pods of nodes that are gone are marked failed and go, others stay', async () => {
  api.put(NODES, { metadata: { name: 'n1' } });
  pod('on-node', { nodeName: 'n1' }, { status: { phase: 'Running' } });
  pod('on-nothing', { nodeName: 'gone' }, { status: { phase: 'Running' } });
  pod('new', {});
  pod('never-started', {}, { metadata: { finalizers: [], deletionTimestamp: timestamp(), deletionGracePeriodSeconds: 30 } });
  const failed: unknown[] = [];
  api.onChange = (type, resource, object) => {
    if (type === 'MODIFIED' && resource === 'pods') failed.push((object as Pod).status);
  };
  await start('pod-gc', { periodSeconds: 0.02, nodeQuarantineSeconds: 0.05 });
  await vi.waitFor(() => expect(names(PODS)).toEqual(['new', 'on-node']));
  expect(failed).toContainEqual({
    phase: 'Failed',
    conditions: [
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
        lastTransitionTime: expect.any(String),
      },
    ],
  });
});

test('of finished pods the oldest beyond the limit go', async () => {
  for (let i = 0; i < 5; i++)
    pod(`p${i}`, {}, { metadata: { creationTimestamp: timestamp(i * 60_000) }, status: { phase: i % 2 ? 'Failed' : 'Succeeded' } });
  await start('pod-gc', { periodSeconds: 0.02, terminatedPodThreshold: 2 });
  await vi.waitFor(() => expect(names(PODS)).toEqual(['p3', 'p4']));
});

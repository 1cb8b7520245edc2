import { StatusError } from '@kubernel/sdk';
import type { ConfigMap, Namespace, Pod } from '@kubernel/sdk/api';
import { CONFIG_MAPS, createClient, NAMESPACES, PODS } from '@kubernel/sdk/client';
import { FakeApi, type FakeContext, fakeContext } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import plugins from './index.ts';

let api: FakeApi;
let ctx: FakeContext<Record<string, unknown>>;
beforeEach(async () => {
  api = new FakeApi();
  ctx = fakeContext(api);
  await plugins[0]?.hooks.start(ctx as never);
  api.put<Namespace>(NAMESPACES, { metadata: { name: 'x' }, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
});
afterEach(() => ctx.dispose());

const namespace = (): Namespace | undefined => api.get<Namespace>(NAMESPACES, 'x');
const condition = (type: string): string | undefined => {
  const found = namespace()?.status?.conditions?.find((item) => item.type === type);
  return found && `${found.status} ${found.reason}: ${found.message}`;
};
const removeNamespace = (): Promise<void> => createClient(api).delete(NAMESPACES, 'x');

test('a namespace that is deleted is emptied and goes, others are left alone', async () => {
  for (const name of ['x', 'y']) api.put<ConfigMap>(CONFIG_MAPS, { metadata: { name: 'c', namespace: name } });
  api.put<Pod>(PODS, { metadata: { name: 'p', namespace: 'x' }, spec: { containers: [] } });
  await removeNamespace();
  await vi.waitFor(() => expect(namespace()).toBeUndefined());
  expect(api.all(PODS)).toEqual([]);
  expect(api.all<ConfigMap>(CONFIG_MAPS).map(({ metadata }) => metadata.namespace)).toEqual(['y']);
});

test('pods go first, and what they need stays until the last one ended', async () => {
  api.put<ConfigMap>(CONFIG_MAPS, { metadata: { name: 'c', namespace: 'x' } });
  api.put<Pod>(PODS, { metadata: { name: 'p', namespace: 'x' }, spec: { containers: [], nodeName: 'n1' } });
  await removeNamespace();
  await vi.waitFor(() =>
    expect(condition('NamespaceContentRemaining')).toBe(
      'True SomeResourcesRemain: Some resources are remaining: pods. has 1 resource instances',
    ),
  );
  expect(api.get(PODS, 'x/p')?.metadata.deletionTimestamp).toBeTruthy();
  expect(api.get(CONFIG_MAPS, 'x/c')?.metadata.deletionTimestamp).toBeUndefined();
  api.remove(PODS, 'x/p');
  await vi.waitFor(() => expect(namespace()).toBeUndefined(), { timeout: 5000 });
  expect(api.all(CONFIG_MAPS)).toEqual([]);
});

test('the conditions name the finalizers that hold it, and it goes when they are done', async () => {
  api.put<ConfigMap>(CONFIG_MAPS, { metadata: { name: 'c', namespace: 'x', finalizers: ['example.com/hold'] } });
  await removeNamespace();
  await vi.waitFor(() =>
    expect(condition('NamespaceFinalizersRemaining')).toBe(
      'True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ),
  );
  expect(condition('NamespaceDeletionDiscoveryFailure')).toBe('False ResourcesDiscovered: All resources successfully discovered');
  const held = api.get<ConfigMap>(CONFIG_MAPS, 'x/c') as ConfigMap;
  await createClient(api).update(CONFIG_MAPS, { ...held, metadata: { ...held.metadata, finalizers: [] } });
  await vi.waitFor(() => expect(namespace()).toBeUndefined(), { timeout: 5000 });
});

test('what cannot be deleted is named, and tried again', async () => {
  api.put<ConfigMap>(CONFIG_MAPS, { metadata: { name: 'c', namespace: 'x' } });
  let broken = true;
  api.onRequest = ({ method, path }) => {
    if (broken && method === 'DELETE' && path.includes('configmaps')) throw new StatusError(500, 'InternalError', 'storage is on fire');
  };
  await removeNamespace();
  await vi.waitFor(() =>
    expect(condition('NamespaceDeletionContentFailure')).toBe(
      'True ContentDeletionFailed: Failed to delete all resource types, 1 remaining: storage is on fire',
    ),
  );
  broken = false;
  await vi.waitFor(() => expect(namespace()).toBeUndefined(), { timeout: 5000 });
});

test('custom resources are emptied like all others', async () => {
  const widgets = { group: 'example.com', version: 'v1', resource: 'widgets', kind: 'Widget' };
  api.serve(widgets);
  api.put(widgets, { metadata: { name: 'w', namespace: 'x' } });
  await removeNamespace();
  await vi.waitFor(() => expect(namespace()).toBeUndefined());
  expect(api.all(widgets)).toEqual([]);
});

test("another owner's finalizer in the spec keeps the namespace", async () => {
  const ns = namespace() as Namespace;
  api.put<Namespace>(NAMESPACES, { ...ns, spec: { finalizers: ['kubernetes', 'example.com/audit'] } });
  await removeNamespace();
  await vi.waitFor(() => expect(namespace()?.spec?.finalizers).toEqual(['example.com/audit']));
});

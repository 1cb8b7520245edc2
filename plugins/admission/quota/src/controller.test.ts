import type { KubeObject, Pod } from '@kubernel/sdk/api';
import { CONFIG_MAPS, PODS, RESOURCE_QUOTAS } from '@kubernel/sdk/client';
import { FakeApi, type FakeContext, fakeContext } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { quotaController } from './controller.ts';
import type { ResourceQuota } from './ledger.ts';

let api: FakeApi;
let ctx: FakeContext<Record<string, unknown>>;

beforeEach(async () => {
  const kind = (resource: string, name: string) => ({ group: '', version: 'v1', resource, kind: name, status: true });
  api = new FakeApi([kind('resourcequotas', 'ResourceQuota'), kind('pods', 'Pod'), kind('configmaps', 'ConfigMap')]);
  ctx = fakeContext<Record<string, unknown>>(api);
  await quotaController.hooks.start(ctx as never);
});
afterEach(() => ctx.dispose());

const quota = (hard: Record<string, string>, spec: object = {}): unknown =>
  api.put(RESOURCE_QUOTAS, { metadata: { name: 'q', namespace: 'ns' }, spec: { hard, ...spec } });
const status = (): ResourceQuota['status'] => api.get<ResourceQuota>(RESOURCE_QUOTAS, 'ns/q')?.status;
const pod = (name: string, cpu: string, phase = 'Running'): KubeObject => ({
  metadata: { name, namespace: 'ns' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] },
  status: { phase },
});

it('a quota learns what is used, of what it limits alone', async () => {
  api.put(PODS, pod('a', '500m') as Pod);
  api.put(PODS, pod('b', '1') as Pod);
  api.put(PODS, pod('done', '1', 'Succeeded') as Pod);
  api.put(CONFIG_MAPS, { metadata: { name: 'c', namespace: 'other' } });
  quota({ 'requests.cpu': '4', pods: '10', configmaps: '3', nonsense: '1' });
  await vi.waitFor(() =>
    expect(status()).toEqual({
      hard: { 'requests.cpu': '4', pods: '10', configmaps: '3', nonsense: '1' },
      used: { 'requests.cpu': '1500m', pods: '2', configmaps: '0' },
    }),
  );
});

it('what went is given back, and a changed limit is taken over', async () => {
  api.put(PODS, pod('a', '1') as Pod);
  api.put(PODS, pod('b', '1') as Pod);
  quota({ pods: '10' });
  await vi.waitFor(() => expect(status()?.used).toEqual({ pods: '2' }));
  api.remove(PODS, 'ns/a');
  await vi.waitFor(() => expect(status()?.used).toEqual({ pods: '1' }));
  api.put(PODS, pod('b', '1', 'Failed') as Pod);
  await vi.waitFor(() => expect(status()?.used).toEqual({ pods: '0' }));
  api.put(RESOURCE_QUOTAS, { ...(api.get<ResourceQuota>(RESOURCE_QUOTAS, 'ns/q') as ResourceQuota), spec: { hard: { pods: '1' } } });
  await vi.waitFor(() => expect(status()?.hard).toEqual({ pods: '1' }));
});

it('a quota with scopes counts the pods in them', async () => {
  api.put(PODS, pod('a', '1') as Pod);
  api.put(PODS, { metadata: { name: 'best', namespace: 'ns' }, spec: { containers: [{ name: 'c' }] } } as unknown as Pod);
  quota({ pods: '10' }, { scopes: ['BestEffort'] });
  await vi.waitFor(() => expect(status()?.used).toEqual({ pods: '1' }));
});

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterRole, ConfigMap, Namespace, ServiceAccount } from '@kubernel/sdk/api';
import { CLUSTER_ROLES, CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS } from '@kubernel/sdk/client';
import { FakeApi, type FakeContext, fakeContext } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import plugins from './index.ts';

let api: FakeApi;
let ctx: FakeContext<Record<string, unknown>>;
let dataDir: string;
const caFile = (): string => join(dataDir, 'pki', 'ca.crt');

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kubernel-accounts-'));
  mkdirSync(join(dataDir, 'pki'));
  writeFileSync(caFile(), 'PEM ONE');
  api = new FakeApi();
  ctx = fakeContext<Record<string, unknown>>(api, { dataDir });
});
afterEach(async () => {
  await ctx.dispose();
  rmSync(dataDir, { recursive: true });
});

async function start(name: string): Promise<void> {
  await plugins.find((plugin) => plugin.name === name)?.hooks.start(ctx as never);
}

const namespace = (name: string, terminating = false): void => {
  api.put<Namespace>(NAMESPACES, { metadata: { name, ...(terminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) } });
};
const accounts = (): string[] => api.all<ServiceAccount>(SERVICE_ACCOUNTS).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);

test('every namespace gets its default service account, also after it was deleted', async () => {
  namespace('a');
  namespace('dying', true);
  await start('serviceaccount');
  await vi.waitFor(() => expect(accounts()).toEqual(['a/default']));
  namespace('b');
  await vi.waitFor(() => expect(accounts()).toEqual(['a/default', 'b/default']));
  api.remove(SERVICE_ACCOUNTS, 'a/default');
  await vi.waitFor(() => expect(accounts().sort()).toEqual(['a/default', 'b/default']));
});

test('every namespace gets the root CA; what others change is put right, and a new CA is published', async () => {
  namespace('a');
  await start('root-ca');
  const bundle = (): ConfigMap | undefined => api.get<ConfigMap>(CONFIG_MAPS, 'a/kube-root-ca.crt');
  await vi.waitFor(() => expect(bundle()?.data).toEqual({ 'ca.crt': 'PEM ONE' }));
  await vi.waitFor(() => expect(api.watches).toBe(2));
  api.put<ConfigMap>(CONFIG_MAPS, { ...(bundle() as ConfigMap), data: { 'ca.crt': 'EVIL', more: 'x' } });
  await vi.waitFor(() => expect(bundle()?.data).toEqual({ 'ca.crt': 'PEM ONE' }));
  writeFileSync(`${caFile()}.new`, 'PEM TWO');
  renameSync(`${caFile()}.new`, caFile());
  await vi.waitFor(() => expect(bundle()?.data).toEqual({ 'ca.crt': 'PEM TWO' }));
});

test('without a CA the publisher refuses to start and says where it looked', async () => {
  rmSync(caFile());
  await expect(start('root-ca')).rejects.toMatchObject({ code: 'ERR_ROOT_CA_MISSING', message: expect.stringContaining(caFile()) });
});

const role = (name: string, labels: Record<string, string>, resources: string[]): ClusterRole => ({
  metadata: { name, labels },
  rules: resources.map((resource) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })),
});

test('an aggregated role has the rules of all it selects, once each, and follows their changes', async () => {
  api.put<ClusterRole>(CLUSTER_ROLES, {
    metadata: { name: 'view', labels: { view: 'yes' } },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { view: 'yes' } }] },
  });
  api.put(CLUSTER_ROLES, role('zebras', { view: 'yes' }, ['pods', 'zebras']));
  api.put(CLUSTER_ROLES, role('apes', { view: 'yes' }, ['apes', 'pods']));
  api.put(CLUSTER_ROLES, role('other', {}, ['secrets']));
  await start('clusterrole-aggregation');
  const resources = (): unknown => api.get<ClusterRole>(CLUSTER_ROLES, 'view')?.rules?.map((rule) => rule.resources?.[0]);
  await vi.waitFor(() => expect(resources()).toEqual(['apes', 'pods', 'zebras']));
  await vi.waitFor(() => expect(api.watches).toBe(1));
  api.put(CLUSTER_ROLES, role('other', { view: 'yes' }, ['secrets']));
  await vi.waitFor(() => expect(resources()).toEqual(['apes', 'pods', 'secrets', 'zebras']));
  api.remove(CLUSTER_ROLES, 'zebras');
  await vi.waitFor(() => expect(resources()).toEqual(['apes', 'pods', 'secrets']));
});

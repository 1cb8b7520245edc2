import { afterEach, expect, test, vi } from 'vitest';
import type { ConfigMap, Pod } from '../api/kinds/index.ts';
import { StatusError } from '../errors.ts';
import { FakeApi } from '../testing/fake-api.ts';
import type { Client } from './client.ts';
import { createInformer, type Informer, type InformerOptions, type RunningInformer } from './informer.ts';
import { CONFIG_MAPS, PODS } from './resources.ts';
import { createClient } from './rest-client.ts';
import { createSharedInformers } from './shared-informers.ts';

const running: RunningInformer<never>[] = [];
afterEach(() => {
  for (const informer of running.splice(0)) informer.stop();
});

/** An informer and what its handlers were told, as `+name@value`, `~name@value`, `-name`. */
function follow(client: Client, options: InformerOptions<ConfigMap> = {}): { informer: Informer<ConfigMap>; log: string[] } {
  const informer = createInformer<ConfigMap>(client, CONFIG_MAPS, options);
  running.push(informer as RunningInformer<never>);
  const log: string[] = [];
  informer.on(recorder(log));
  return { informer, log };
}

function recorder(log: string[]) {
  return {
    add: ({ metadata, data }: ConfigMap) => log.push(`+${metadata.name}@${data?.v}`),
    update: ({ metadata, data }: ConfigMap, old: ConfigMap) => log.push(`~${metadata.name}@${old.data?.v}->${data?.v}`),
    delete: ({ metadata }: ConfigMap) => log.push(`-${metadata.name}`),
  };
}

function configMap(name: string, v: number | string = 1, labels?: Record<string, string>): ConfigMap {
  return { metadata: { name, namespace: 'default', ...(labels ? { labels } : {}) }, data: { v: String(v) } };
}

test('an informer has what is listed and follows what changes', async () => {
  const api = new FakeApi();
  api.put(CONFIG_MAPS, configMap('a'));
  const { informer, log } = follow(createClient(api));
  await informer.synced();
  expect(informer.get('default/a')?.kind).toBe('ConfigMap');
  await vi.waitFor(() => expect(api.watches).toBe(1));
  api.put(CONFIG_MAPS, configMap('b'));
  api.put(CONFIG_MAPS, configMap('a', 2));
  api.remove(CONFIG_MAPS, 'default/b');
  await vi.waitFor(() => expect(log).toEqual(['+a@1', '+b@1', '~a@1->2', '-b']));
  expect(informer.resourceVersion).toBe(String(api.revision));
});

test('a list of many pages is one consistent copy', async () => {
  const api = new FakeApi();
  for (let i = 0; i < 25; i++) api.put(CONFIG_MAPS, configMap(`c${i}`));
  const { informer } = follow(createClient(api), { pageSize: 10 });
  await informer.synced();
  expect(informer.size).toBe(25);
  expect(api.requests.filter((request) => request.startsWith('GET'))).toHaveLength(3);
});

test('a continue token that expired between two pages leads to one list of everything', async () => {
  const api = new FakeApi();
  for (let i = 0; i < 25; i++) api.put(CONFIG_MAPS, configMap(`c${i}`));
  api.onRequest = ({ path }) => {
    if (path.includes('continue=')) api.compact();
  };
  const { informer } = follow(createClient(api), { pageSize: 10 });
  await informer.synced();
  expect(informer.size).toBe(25);
});

test('a broken connection resumes from the last revision without listing again', async () => {
  const api = new FakeApi();
  const { informer, log } = follow(createClient(api));
  await informer.synced();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  api.disconnect();
  api.put(CONFIG_MAPS, configMap('while-away'));
  await vi.waitFor(() => expect(log).toEqual(['+while-away@1']));
  expect(api.requests).toHaveLength(1);
});

test('a watch that the server ends is opened again', async () => {
  const api = new FakeApi();
  const { informer, log } = follow(createClient(api));
  await informer.synced();
  for (let round = 0; round < 3; round++) {
    await vi.waitFor(() => expect(api.watches).toBe(1));
    api.put(CONFIG_MAPS, configMap(`r${round}`));
    await vi.waitFor(() => expect(log).toHaveLength(round + 1));
    api.closeWatches();
  }
  expect(api.requests).toHaveLength(1);
});

test('a watcher whose revision is gone lists again and tells only what differs', async () => {
  const api = new FakeApi();
  for (const name of ['same', 'changed', 'gone', 'replaced']) api.put(CONFIG_MAPS, configMap(name));
  const { informer, log } = follow(createClient(api));
  await informer.synced();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  log.length = 0;
  // The connection is lost, the world goes on, and the history is compacted before it comes back.
  api.disconnect();
  api.put(CONFIG_MAPS, configMap('changed', 2));
  api.remove(CONFIG_MAPS, 'default/gone');
  api.remove(CONFIG_MAPS, 'default/replaced');
  api.put(CONFIG_MAPS, configMap('replaced', 9));
  api.put(CONFIG_MAPS, configMap('new'));
  api.compact();
  await vi.waitFor(() => expect(log).toHaveLength(5));
  expect([...log].sort()).toEqual(['+new@1', '+replaced@9', '-gone', '-replaced', '~changed@1->2']);
  expect(log.indexOf('-replaced')).toBeLessThan(log.indexOf('+replaced@9'));
});

test('a bookmark moves the revision, so that a quiet informer resumes after a compaction without listing', async () => {
  const api = new FakeApi();
  const { informer, log } = follow(createClient(api));
  await informer.synced();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  // Other resources change; this one is quiet.
  api.put(PODS, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [] } });
  api.bookmark();
  await vi.waitFor(() => expect(informer.resourceVersion).toBe(String(api.revision)));
  api.compact();
  api.disconnect();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  api.put(CONFIG_MAPS, configMap('later'));
  await vi.waitFor(() => expect(log).toEqual(['+later@1']));
  expect(api.requests.filter((request) => request.includes('configmaps'))).toHaveLength(1);
});

test('a WatchList fills the informer without a list', async () => {
  const api = new FakeApi();
  api.put(CONFIG_MAPS, configMap('a'));
  const { informer, log } = follow(createClient(api), { watchList: true });
  await informer.synced();
  api.put(CONFIG_MAPS, configMap('b'));
  await vi.waitFor(() => expect(log).toEqual(['+a@1', '+b@1']));
  expect(api.requests).toEqual([]);
});

test('failing lists are repeated and reported, and then all is there', async () => {
  const api = new FakeApi();
  api.put(CONFIG_MAPS, configMap('a'));
  let failures = 2;
  api.onRequest = () => {
    if (failures-- > 0) throw new StatusError(503, 'ServiceUnavailable', 'starting');
  };
  const errors: string[] = [];
  const { informer } = follow(createClient(api), { onError: (_error, message) => errors.push(message) });
  await informer.synced();
  expect(errors).toHaveLength(2);
  expect(errors[0]).toMatch(/^cannot follow configmaps, next try in \d+ ms$/);
});

test('an object that leaves the selector is deleted for the informer', async () => {
  const api = new FakeApi();
  api.put(CONFIG_MAPS, configMap('a', 1, { app: 'x' }));
  api.put(CONFIG_MAPS, configMap('other'));
  const { informer, log } = follow(createClient(api), { labelSelector: 'app=x' });
  await informer.synced();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  api.put(CONFIG_MAPS, configMap('a', 2));
  await vi.waitFor(() => expect(log).toEqual(['+a@1', '-a']));
});

test('indexes follow every change', async () => {
  const api = new FakeApi();
  const pod = (name: string, nodeName?: string): Pod => ({
    metadata: { name, namespace: 'default' },
    spec: { containers: [], ...(nodeName ? { nodeName } : {}) },
  });
  api.put(PODS, pod('a', 'n1'));
  api.put(PODS, pod('b'));
  const informer = createInformer<Pod>(createClient(api), PODS, {
    indexes: { node: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []) },
  });
  running.push(informer as RunningInformer<never>);
  await informer.synced();
  const on = (node: string): (string | undefined)[] => informer.byIndex('node', node).map(({ metadata }) => metadata.name);
  expect(on('n1')).toEqual(['a']);
  api.put(PODS, pod('b', 'n1'));
  await vi.waitFor(() => expect(on('n1')).toEqual(['a', 'b']));
  api.put(PODS, pod('a', 'n2'));
  await vi.waitFor(() => expect(on('n2')).toEqual(['a']));
  expect(on('n1')).toEqual(['b']);
  expect(informer.countByIndex('node', 'n1')).toBe(1);
  api.remove(PODS, 'default/b');
  await vi.waitFor(() => expect(on('n1')).toEqual([]));
  informer.addIndex('name', ({ metadata }) => [metadata.name ?? '']);
  expect(informer.byIndex('name', 'a')).toHaveLength(1);
  expect(() => informer.byIndex('nobody', 'x')).toThrow(/has no index "nobody"/);
});

test('a handler added late sees what is there, and one that throws hinders nobody', async () => {
  const api = new FakeApi();
  api.put(CONFIG_MAPS, configMap('a'));
  const errors: string[] = [];
  const { informer } = follow(createClient(api), { onError: (_error, message) => errors.push(message) });
  await informer.synced();
  const late: string[] = [];
  informer.on({
    add: () => {
      throw new Error('a defect');
    },
  });
  const remove = informer.on(recorder(late));
  expect(late).toEqual(['+a@1']);
  await vi.waitFor(() => expect(api.watches).toBe(1));
  api.put(CONFIG_MAPS, configMap('b'));
  await vi.waitFor(() => expect(late).toEqual(['+a@1', '+b@1']));
  expect(errors).toEqual(['a handler of configmaps threw', 'a handler of configmaps threw']);
  remove();
  api.put(CONFIG_MAPS, configMap('c'));
  await vi.waitFor(() => expect(informer.size).toBe(3));
  expect(late).toHaveLength(2);
});

test('a slow handler delays events and loses none, and the order stays that of the revisions', async () => {
  const api = new FakeApi();
  const { informer, log } = follow(createClient(api));
  const revisions: number[] = [];
  informer.on({
    add: ({ metadata }) => {
      for (const until = performance.now() + 2; performance.now() < until; );
      revisions.push(Number(metadata.resourceVersion));
    },
  });
  await informer.synced();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  for (let i = 0; i < 50; i++) {
    api.put(CONFIG_MAPS, configMap(`c${i}`));
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await vi.waitFor(() => expect(log).toHaveLength(50));
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
});

test('every object that a handler sees is transformed, the last state of a deleted one too', async () => {
  const api = new FakeApi();
  api.put(CONFIG_MAPS, configMap('a', 'long'));
  const { informer, log } = follow(createClient(api), {
    transform: (object) => ({ ...object, data: { v: object.data?.v?.slice(0, 1) ?? '' } }),
  });
  informer.on({ delete: ({ data }) => log.push(`last ${data?.v}`) });
  await informer.synced();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  api.put(CONFIG_MAPS, configMap('a', 'other'));
  api.remove(CONFIG_MAPS, 'default/a');
  await vi.waitFor(() => expect(log).toEqual(['+a@l', '~a@l->o', '-a', 'last o']));
});

test('a resync offers every object again', async () => {
  const api = new FakeApi();
  api.put(CONFIG_MAPS, configMap('a'));
  const { informer, log } = follow(createClient(api), { resyncMs: 10 });
  await informer.synced();
  await vi.waitFor(() => expect(log.filter((line) => line === '~a@1->1').length).toBeGreaterThan(1));
});

test('a stopped informer closes its watch and says so to those who wait for it', async () => {
  const api = new FakeApi();
  const { informer } = follow(createClient(api));
  await informer.synced();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  (informer as RunningInformer<ConfigMap>).stop();
  await vi.waitFor(() => expect(api.watches).toBe(0));
  const never = createInformer<ConfigMap>(createClient(api), CONFIG_MAPS);
  never.stop();
  await expect(never.synced()).rejects.toThrow(/informer of configmaps was stopped/);
});

test('parts of a plugin that ask for the same resource share one informer', async () => {
  const api = new FakeApi();
  const informers = createSharedInformers(createClient(api));
  const one = informers.get<ConfigMap>(CONFIG_MAPS, { indexes: { v: ({ data }) => [data?.v ?? ''] } });
  const two = informers.get<ConfigMap>(CONFIG_MAPS, { indexes: { name: ({ metadata }) => [metadata.name ?? ''] } });
  expect(two).toBe(one);
  expect(informers.get<ConfigMap>(CONFIG_MAPS, { namespace: 'kube-system' })).not.toBe(one);
  await informers.synced();
  await vi.waitFor(() => expect(api.watches).toBe(2));
  api.put(CONFIG_MAPS, configMap('a', 7));
  await vi.waitFor(() => expect(one.byIndex('v', '7')).toHaveLength(1));
  expect(one.byIndex('name', 'a')).toHaveLength(1);
  informers.stop();
});

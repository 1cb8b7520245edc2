import { expect, test, vi } from 'vitest';
import type { ConfigMap, Pod } from '../api/kinds/index.ts';
import type { KubeObject } from '../api/object.ts';
import { KubernelError, StatusError } from '../errors.ts';
import type { ApiRequest, ApiService } from '../roles/apiserver.ts';
import { FakeApi } from '../testing/fake-api.ts';
import type { WatchEvent } from './client.ts';
import { discover } from './discovery.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { CONFIG_MAPS, DEPLOYMENTS, NODES, PODS } from './resources.ts';
import { createClient } from './rest-client.ts';

/** An ApiService that notes requests and answers what it is told. */
function recording(code = 200, body = '{}'): { service: ApiService; requests: ApiRequest[] } {
  const requests: ApiRequest[] = [];
  const service: ApiService = {
    async request(request) {
      requests.push(request);
      return { code, body };
    },
    async *watch(request) {
      requests.push(request);
      yield body;
    },
  };
  return { service, requests };
}

test('paths and queries are those of the API', async () => {
  const { service, requests } = recording();
  const client = createClient(service);
  await client.get(NODES, 'n1');
  await client.get(PODS, 'a', { namespace: 'x', subresource: 'status' });
  await client.list(DEPLOYMENTS, { labelSelector: 'app in (a,b)', limit: 5 });
  await client.list(PODS, { namespace: 'x', fieldSelector: 'spec.nodeName=n1', resourceVersion: '0' });
  await client.create(PODS, { metadata: { generateName: 'a-', namespace: 'x' } } as KubeObject, { dryRun: true, fieldManager: 'me' });
  await client.create(PODS, { metadata: { name: 'a' } } as KubeObject, { namespace: 'x', name: 'a', subresource: 'binding' });
  await client.update(DEPLOYMENTS, { metadata: { name: 'd', namespace: 'x' } } as KubeObject, { subresource: 'status' });
  await client.patch(PODS, 'a', { type: 'apply', patch: {} }, { namespace: 'x', force: true, fieldManager: 'me' });
  await client.delete(PODS, 'a', { namespace: 'x', gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
  await client.deleteCollection(PODS, { namespace: 'x', labelSelector: 'a=b', propagationPolicy: 'Background' });
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /api/v1/nodes/n1',
    'GET /api/v1/namespaces/x/pods/a/status',
    'GET /apis/apps/v1/deployments?labelSelector=app%20in%20(a%2Cb)&limit=5',
    'GET /api/v1/namespaces/x/pods?fieldSelector=spec.nodeName%3Dn1&resourceVersion=0',
    'POST /api/v1/namespaces/x/pods?dryRun=All&fieldManager=me',
    'POST /api/v1/namespaces/x/pods/a/binding',
    'PUT /apis/apps/v1/namespaces/x/deployments/d/status',
    'PATCH /api/v1/namespaces/x/pods/a?fieldManager=me&force=true',
    'DELETE /api/v1/namespaces/x/pods/a',
    'DELETE /api/v1/namespaces/x/pods?labelSelector=a%3Db',
  ]);
  expect(requests[7]?.contentType).toBe('application/apply-patch+yaml');
  expect(JSON.parse(requests[8]?.body ?? '')).toEqual({
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds: 0,
    preconditions: { uid: 'u' },
  });
});

test('a namespaced object without a namespace is refused before it is sent', async () => {
  const { service, requests } = recording();
  await expect(createClient(service).get(PODS, 'a')).rejects.toMatchObject({ code: 'ERR_CLIENT_ARGUMENT' });
  await expect(createClient(service).create(PODS, { metadata: { name: 'a' } } as KubeObject)).rejects.toMatchObject({
    code: 'ERR_CLIENT_ARGUMENT',
  });
  expect(requests).toEqual([]);
});

test('refusals are StatusErrors with the reason of the server', async () => {
  const client = createClient(new FakeApi());
  const object: ConfigMap = { metadata: { name: 'a', namespace: 'x' }, data: { k: '1' } };
  await expect(client.get(CONFIG_MAPS, 'a', { namespace: 'x' })).rejects.toSatisfy(isNotFound);
  const created = await client.create(CONFIG_MAPS, object);
  await expect(client.create(CONFIG_MAPS, object)).rejects.toSatisfy(isAlreadyExists);
  await client.update(CONFIG_MAPS, { ...created, data: { k: '2' } });
  await expect(client.update(CONFIG_MAPS, { ...created, data: { k: '3' } })).rejects.toSatisfy(isConflict);
});

test('an answer that is no Status is told by its HTTP code, one that is no JSON by its beginning', async () => {
  await expect(createClient(recording(503, '<html>').service).get(NODES, 'a')).rejects.toMatchObject({
    status: { code: 503, reason: 'ServiceUnavailable' },
    message: 'the server answered 503 (nodes): <html>',
  });
  await expect(createClient(recording(200, '<html>').service).get(NODES, 'a')).rejects.toMatchObject({ code: 'ERR_API_BAD_ANSWER' });
});

test('a request that is throttled with a time is repeated after it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  let calls = 0;
  const service: ApiService = {
    async request() {
      const busy = new StatusError(429, 'TooManyRequests', 'later', { retryAfterSeconds: 1 });
      return calls++ === 0 ? { code: 429, body: JSON.stringify(busy.status) } : { code: 200, body: '{"metadata":{"name":"a"}}' };
    },
    watch: () => recording().service.watch({ method: 'GET', path: '' }),
  };
  const answer = createClient(service).get(NODES, 'a');
  await vi.advanceTimersByTimeAsync(1000);
  await expect(answer).resolves.toEqual({ metadata: { name: 'a' } });
  vi.useRealTimers();
});

test('a watch gives whole batches, and an ERROR event ends it with its Status after the events before it', async () => {
  const status = new StatusError(410, 'Expired', 'too old').status;
  const lines = [
    { type: 'ADDED', object: { metadata: { name: 'a' } } },
    { type: 'ADDED', object: { metadata: { name: 'b' } } },
    { type: 'ERROR', object: status },
  ];
  const { service } = recording(200, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const seen: string[] = [];
  const watching = async (): Promise<void> => {
    for await (const events of createClient(service).watch(PODS))
      seen.push(events.map(({ object }: WatchEvent) => object.metadata.name).join(','));
  };
  await expect(watching()).rejects.toMatchObject({ status: { code: 410 } });
  expect(seen).toEqual(['a,b']);
});

test('aborting ends a watch at once, even one on which nothing happens', async () => {
  const api = new FakeApi();
  const abort = new AbortController();
  const watching = (async () => {
    for await (const _ of createClient(api).watch<Pod>(PODS, { signal: abort.signal, resourceVersion: '100' }));
  })();
  await vi.waitFor(() => expect(api.watches).toBe(1));
  abort.abort();
  await watching;
  expect(api.watches).toBe(0);
});

test('an API server that is down is ERR_API_UNAVAILABLE', async () => {
  const service: ApiService = {
    async request() {
      throw new KubernelError('ERR_ROLE_UNAVAILABLE', 'apiserver/v1 is being restarted');
    },
    watch: () => recording().service.watch({ method: 'GET', path: '' }),
  };
  await expect(createClient(service).get(NODES, 'a')).rejects.toMatchObject({ code: 'ERR_API_UNAVAILABLE' });
});

test('discovery finds each resource once, in both forms of the API', async () => {
  const legacy = await discover(createClient(new FakeApi()));
  expect(legacy.resources.find(({ resource }) => resource === 'pods')).toMatchObject({ group: '', version: 'v1', kind: 'Pod' });
  expect(legacy.resources.find(({ resource }) => resource === 'nodes')?.clusterScoped).toBe(true);
  const scale = { resource: 'scale', responseKind: { kind: 'Scale' } };
  const hpa = (version: string) => ({
    version,
    resources: [{ resource: 'hpas', scope: 'Namespaced', verbs: ['get'], responseKind: { kind: 'HPA' }, subresources: [scale] }],
  });
  const body = JSON.stringify({
    kind: 'APIGroupDiscoveryList',
    items: [{ metadata: { name: 'autoscaling' }, versions: [hpa('v2'), { ...hpa('v1'), freshness: 'Stale' }] }],
  });
  const aggregated = await discover(createClient(recording(200, body).service));
  expect(aggregated.resources).toEqual([{ group: 'autoscaling', version: 'v2', resource: 'hpas', kind: 'HPA', verbs: ['get'] }]);
  expect(new Set(aggregated.stale)).toEqual(new Set(['autoscaling/v1']));
});

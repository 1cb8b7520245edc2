import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from './http/serve.ts';
import { FakeStore } from './testing/fake-store.ts';
import { openWatch, type TestServer, testServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { a: '1' },
});

test('an object that was created can be read back at once, with uid, revision and time', async () => {
  const created = await server.request('POST', CONFIGMAPS, configMap('one'));
  expect(created.code).toBe(201);
  expect(created.json.metadata).toMatchObject({
    name: 'one',
    namespace: 'default',
    resourceVersion: expect.stringMatching(/^\d+$/),
    uid: expect.any(String),
  });
  const read = await server.request('GET', `${CONFIGMAPS}/one`);
  expect(read.code).toBe(200);
  expect(read.text).toBe(created.text);
});

test('a name that is taken is refused in the words clients look for', async () => {
  await server.request('POST', CONFIGMAPS, configMap('taken'));
  const again = await server.request('POST', CONFIGMAPS, configMap('taken'));
  expect(again.code).toBe(409);
  expect(again.json).toMatchObject({
    reason: 'AlreadyExists',
    message: 'configmaps "taken" already exists',
    details: { name: 'taken', kind: 'configmaps' },
  });
});

test('a list is in key order, its items without kind, and says the revision it was read at', async () => {
  const namespace = '/api/v1/namespaces/ordered/configmaps';
  for (const name of ['b', 'a', 'a-1']) await server.request('POST', namespace, configMap(name));
  const { json } = await server.request('GET', namespace);
  expect(json.kind).toBe('ConfigMapList');
  expect(json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['a', 'a-1', 'b']);
  expect(json.items[0].kind).toBeUndefined();
  expect(Number(json.metadata.resourceVersion)).toBeGreaterThan(0);
});

test('pages of a list show one revision, whatever is written in between', async () => {
  const namespace = '/api/v1/namespaces/paged/configmaps';
  for (const name of ['a', 'b', 'c', 'd']) await server.request('POST', namespace, configMap(name));
  const first = await server.request('GET', `${namespace}?limit=2`);
  expect(first.json.metadata.remainingItemCount).toBe(2);
  await server.request('POST', namespace, configMap('bb'));
  const second = await server.request('GET', `${namespace}?limit=2&continue=${encodeURIComponent(first.json.metadata.continue)}`);
  expect(second.json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['c', 'd']);
  expect(second.json.metadata.resourceVersion).toBe(first.json.metadata.resourceVersion);
  expect(second.json.metadata.continue).toBeUndefined();
});

test('a watch gets each change once and in order, from the revision of the list on', async () => {
  const namespace = '/api/v1/namespaces/watched/configmaps';
  await server.request('POST', namespace, configMap('before'));
  const { json } = await server.request('GET', namespace);
  const watch = openWatch(server, `${namespace}?watch=1&resourceVersion=${json.metadata.resourceVersion}`);
  await server.request('POST', namespace, configMap('x'));
  const added = await watch.next();
  expect(added).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'x' } } });
  const current = (await server.request('GET', `${namespace}/x`)).json;
  await server.request('PUT', `${namespace}/x`, { ...current, data: { a: '2' } });
  expect(await watch.next()).toMatchObject({ type: 'MODIFIED', object: { data: { a: '2' } } });
  await server.request('DELETE', `${namespace}/x`);
  const deleted = await watch.next();
  expect(deleted?.type).toBe('DELETED');
  expect(Number(deleted?.object.metadata.resourceVersion)).toBeGreaterThan(Number(current.metadata.resourceVersion));
  watch.close();
});

test('an object that leaves a selector is DELETED for its watchers, and ADDED again when it comes back', async () => {
  const namespace = '/api/v1/namespaces/leaving/configmaps';
  await server.request('POST', namespace, configMap('x', { labels: { w: '1' } }));
  const watch = openWatch(server, `${namespace}?watch=1&labelSelector=w%3D1`);
  expect((await watch.next())?.type).toBe('ADDED');
  await server.request('PUT', `${namespace}/x`, configMap('x', { labels: { w: '2' } }));
  expect(await watch.next()).toMatchObject({ type: 'DELETED', object: { metadata: { labels: { w: '1' } } } });
  await server.request('PUT', `${namespace}/x`, configMap('x', { labels: { w: '1' } }));
  expect((await watch.next())?.type).toBe('ADDED');
  watch.close();
});

test('an update against an old revision is a conflict, one without a revision is not', async () => {
  const created = (await server.request('POST', CONFIGMAPS, configMap('raced'))).json;
  expect((await server.request('PUT', `${CONFIGMAPS}/raced`, { ...created, data: { a: '2' } })).code).toBe(200);
  const late = await server.request('PUT', `${CONFIGMAPS}/raced`, { ...created, data: { a: '3' } });
  expect(late.code).toBe(409);
  expect(late.json.message).toBe(
    'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again',
  );
  expect((await server.request('PUT', `${CONFIGMAPS}/raced`, configMap('raced'))).code).toBe(200);
});

test('an update that changes nothing is not written', async () => {
  const created = (await server.request('POST', CONFIGMAPS, configMap('same'))).json;
  const again = await server.request('PUT', `${CONFIGMAPS}/same`, created);
  expect(again.json.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
});

test('a finalizer holds a deleted object until it is taken away', async () => {
  await server.request('POST', CONFIGMAPS, configMap('held', { finalizers: ['example.com/hold'] }));
  const deleted = await server.request('DELETE', `${CONFIGMAPS}/held`);
  expect(deleted.json.metadata.deletionTimestamp).toBeTruthy();
  const current = (await server.request('GET', `${CONFIGMAPS}/held`)).json;
  current.metadata.finalizers = [];
  expect((await server.request('PUT', `${CONFIGMAPS}/held`, current)).code).toBe(200);
  expect((await server.request('GET', `${CONFIGMAPS}/held`)).code).toBe(404);
});

test('nothing but health and version is answered without credentials', async () => {
  const anonymous = { authorization: '' };
  for (const path of ['/healthz', '/livez', '/readyz', '/version'])
    expect((await server.request('GET', path, undefined, anonymous)).code).toBe(200);
  for (const path of [CONFIGMAPS, '/api', '/apis', '/metrics', '/openapi/v2'])
    expect((await server.request('GET', path, undefined, anonymous)).code).toBe(401);
  expect((await server.request('GET', CONFIGMAPS, undefined, { authorization: 'Bearer bad' })).code).toBe(401);
});

test('a user without rights is told who may not do what', async () => {
  const refused = await server.request('GET', `${CONFIGMAPS}/one`, undefined, { authorization: 'Bearer jane' });
  expect(refused.code).toBe(403);
  expect(refused.json.message).toBe(
    'configmaps "one" is forbidden: User "jane" cannot get resource "configmaps" in API group "" in the namespace "default"',
  );
});

test('a server that closes lets go of idle connections at once and finishes what it answers', async () => {
  const closing = await testServer();
  await closing.request('GET', '/readyz');
  const watch = openWatch(closing, `${CONFIGMAPS}?watch=1`);
  await new Promise((resolve) => setTimeout(resolve, 30));
  closing.server.api.hub.endAll();
  const started = performance.now();
  await closing.listener.close(5_000);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(await watch.next()).toBeUndefined();
  await closing[Symbol.asyncDispose]();
});

test('a port that is taken is refused with what to do, although ports can be shared', async () => {
  const options = { host: '127.0.0.1', port: server.port, serving: server.pki.serving, reusePort: true, nodeTrust: undefined, limits: {} };
  await expect(serve(server.server, options)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE', hint: expect.any(String) });
});

test('a resubscription from scratch is not answered from an empty cache', async () => {
  const store = new FakeStore();
  await using restarted = await testServer({ store });
  await restarted.request('POST', CONFIGMAPS, configMap('kept'));
  const watch = openWatch(restarted, `${CONFIGMAPS}?watch=1`);
  expect((await watch.next())?.type).toBe('ADDED');
  store.breakSubscriptions();
  await store.commit({
    keys: ['core/configmaps/x/other'],
    values: ['{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"other","namespace":"x","uid":"1"}}'],
    expects: [0],
  });
  store.compactTo(store.revision);
  expect(await watch.next()).toBeUndefined();
  for (let attempt = 0; attempt < 50; attempt++) {
    const { code } = await restarted.request('GET', `${CONFIGMAPS}/kept`);
    expect([200, 503]).toContain(code);
    if (code === 200 && attempt > 3) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect((await restarted.request('GET', `${CONFIGMAPS}/kept`)).code).toBe(200);
});

test('more requests than may be on their way are told to come back', async () => {
  await using busy = await testServer({ limits: { maxMutating: 0 } });
  const refused = await busy.request('POST', CONFIGMAPS, configMap('x'));
  expect(refused.code).toBe(429);
  expect(refused.headers['retry-after']).toBe('1');
  expect(refused.json).toMatchObject({ reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } });
  expect((await busy.request('GET', CONFIGMAPS)).code).toBe(200);
});

test('a graceful deletion marks first, a shorter one shortens, and none left removes', async () => {
  const widgets = '/api/v1/namespaces/default/widgets';
  await server.request('POST', widgets, { apiVersion: 'v1', kind: 'Widget', metadata: { name: 'w' }, spec: { size: 1 } });
  const first = await server.request('DELETE', `${widgets}/w`);
  expect(first.json.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, generation: 2 });
  const second = await server.request('DELETE', `${widgets}/w?gracePeriodSeconds=5`);
  expect(second.json.metadata.deletionGracePeriodSeconds).toBe(5);
  expect(Date.parse(second.json.metadata.deletionTimestamp)).toBeLessThan(Date.parse(first.json.metadata.deletionTimestamp));
  await server.request('DELETE', `${widgets}/w?gracePeriodSeconds=0`);
  expect((await server.request('GET', `${widgets}/w`)).code).toBe(404);
});

test('status and spec are written through their own endpoints, and the scale through its own kind', async () => {
  const widgets = '/api/v1/namespaces/default/widgets';
  await server.request('POST', widgets, {
    apiVersion: 'v1',
    kind: 'Widget',
    metadata: { name: 's' },
    spec: { size: 1, replicas: 2 },
    status: { phase: 'Done' },
  });
  const merge = { 'content-type': 'application/merge-patch+json' };
  expect((await server.request('GET', `${widgets}/s`)).json.status).toEqual({ phase: 'New' });
  const status = await server.request('PATCH', `${widgets}/s/status`, { spec: { size: 9 }, status: { phase: 'Done' } }, merge);
  expect(status.json).toMatchObject({ metadata: { generation: 1 }, spec: { size: 1 }, status: { phase: 'Done' } });
  const spec = await server.request('PATCH', `${widgets}/s`, { spec: { size: 9 }, status: { phase: 'Lost' } }, merge);
  expect(spec.json).toMatchObject({ metadata: { generation: 2 }, spec: { size: 9 }, status: { phase: 'Done' } });
  const scaled = await server.request('PATCH', `${widgets}/s/scale`, { spec: { replicas: 5 } }, merge);
  expect(scaled.json).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status: { selector: 'app=widget' } });
  expect((await server.request('GET', `${widgets}/s`)).json.spec.replicas).toBe(5);
  expect((await server.request('GET', `${widgets}?fieldSelector=status.phase%3DDone`)).json.items).toHaveLength(1);
});

test('what is new has no revision yet: one that came from elsewhere is refused', async () => {
  const copied = { ...configMap('copied'), metadata: { name: 'copied', resourceVersion: '5' } };
  const refused = await server.request('POST', CONFIGMAPS, copied);
  expect(refused).toMatchObject({ code: 500, json: { message: 'resourceVersion should not be set on objects to be created' } });
  expect((await server.request('GET', `${CONFIGMAPS}/copied`)).code).toBe(404);
  const dry = await server.request('POST', `${CONFIGMAPS}?dryRun=All`, copied);
  expect(dry).toMatchObject({ code: 201, json: { metadata: { resourceVersion: '5' } } });
});

test('a dry run answers as the real thing would, and leaves no trace', async () => {
  const before = (await server.request('GET', CONFIGMAPS)).json.metadata.resourceVersion;
  const dry = await server.request('POST', `${CONFIGMAPS}?dryRun=All`, configMap('dry'));
  expect(dry.code).toBe(201);
  expect(dry.json.metadata.resourceVersion).toBeUndefined();
  expect((await server.request('GET', `${CONFIGMAPS}/dry`)).code).toBe(404);
  expect((await server.request('GET', CONFIGMAPS)).json.metadata.resourceVersion).toBe(before);
});

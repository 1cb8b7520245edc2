import http2 from 'node:http2';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FakeStore } from './testing/fake-store.ts';
import { openWatch, type TestServer, testServer } from './testing/test-server.ts';

let server: TestServer;
const store = new FakeStore();
beforeAll(async () => {
  server = await testServer({ store });
});
afterAll(() => server[Symbol.asyncDispose]());

const configMap = (name: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more } });
const path = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;

test('a watch without a revision begins with what is there', async () => {
  await server.request('POST', path('initial'), configMap('a'));
  const watch = openWatch(server, `${path('initial')}?watch=1`);
  expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'a' } } });
  watch.close();
});

test('sendInitialEvents ends the first events with a bookmark that says so', async () => {
  await server.request('POST', path('list'), configMap('a'));
  const watch = openWatch(
    server,
    `${path('list')}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  );
  expect((await watch.next())?.type).toBe('ADDED');
  expect(await watch.next()).toMatchObject({
    type: 'BOOKMARK',
    object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
  });
  watch.close();
});

test('all watchers of a selection see the same events in the same order', async () => {
  const watches = Array.from({ length: 20 }, () => openWatch(server, `${path('many')}?watch=1`));
  await setTimeout(50);
  await Promise.all(Array.from({ length: 50 }, (_, index) => server.request('POST', path('many'), configMap(`c${index}`))));
  const seen: string[][] = [];
  for (const watch of watches) {
    const names: string[] = [];
    for (let index = 0; index < 50; index++) names.push((await watch.next())?.object.metadata.name ?? '');
    seen.push(names);
    watch.close();
  }
  for (const names of seen) expect(names).toEqual(seen[0]);
  expect(new Set(seen[0]).size).toBe(50);
});

test('a watch ends when its time is up, with a bookmark shortly before', async () => {
  const watch = openWatch(server, `${path('timed')}?watch=1&timeoutSeconds=3&allowWatchBookmarks=true`);
  expect(await watch.next()).toMatchObject({ type: 'BOOKMARK', object: { metadata: { resourceVersion: expect.stringMatching(/^\d+$/) } } });
  expect(await watch.next()).toBeUndefined();
});

test('a watch resumes from the log where the cache does not reach back', async () => {
  const older = new FakeStore();
  await older.commit({
    keys: ['core/configmaps/x/a'],
    values: ['{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"x","uid":"1"}}'],
    expects: [0],
  });
  await older.commit({
    keys: ['core/configmaps/x/b'],
    values: ['{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"b","namespace":"x","uid":"2"}}'],
    expects: [0],
  });
  await using restarted = await testServer({ store: older });
  const watch = openWatch(restarted, `${path('x')}?watch=1&resourceVersion=1`);
  expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b', resourceVersion: '2' } } });
  await restarted.request('DELETE', `${path('x')}/b`);
  expect(await watch.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'b', resourceVersion: '3' } } });
  watch.close();
});

test('a watch from before the window gets a 410 as its only event, and a page of a forgotten list a way on', async () => {
  const older = new FakeStore();
  for (const name of ['a', 'b', 'c']) {
    await older.commit({
      keys: [`core/configmaps/x/${name}`],
      values: [`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"${name}","namespace":"x","uid":"${name}"}}`],
      expects: [0],
    });
  }
  older.compactTo(2);
  await using restarted = await testServer({ store: older });
  const watch = openWatch(restarted, `${path('x')}?watch=1&resourceVersion=1`);
  expect(await watch.next()).toMatchObject({
    type: 'ERROR',
    object: { code: 410, reason: 'Expired', message: expect.stringContaining('too old resource version: 1 (') },
  });
  expect(await watch.next()).toBeUndefined();
  const token = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: 1, start: 'x/a\0' })).toString('base64url');
  const page = await restarted.request('GET', `${path('x')}?limit=1&continue=${token}`);
  expect(page.code).toBe(410);
  expect(page.json.reason).toBe('Expired');
  const rest = await restarted.request('GET', `${path('x')}?limit=5&continue=${page.json.metadata.continue}`);
  expect(rest.json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['b', 'c']);
});

test('HTTP/2 serves requests and watches on the same port', async () => {
  const session = http2.connect(`https://127.0.0.1:${server.port}`, { ca: server.pki.ca.cert });
  const headers = { authorization: 'Bearer admin' };
  const stream = session.request({ ':path': `${path('h2')}?watch=1`, ...headers });
  const first = new Promise<string>((resolve) => stream.on('data', (part: Buffer) => resolve(part.toString())));
  await new Promise((resolve) => stream.on('response', resolve));
  const post = session.request({ ':method': 'POST', ':path': path('h2'), 'content-type': 'application/json', ...headers });
  post.end(JSON.stringify(configMap('over-h2')));
  expect(JSON.parse(await first)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'over-h2' } } });
  session.destroy();
});

test('the deprecated watch paths watch', async () => {
  await server.request('POST', path('old'), configMap('a'));
  const watch = openWatch(server, '/api/v1/watch/namespaces/old/configmaps/a');
  expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
  watch.close();
});

test('a watch as Table gives the columns once', async () => {
  const watch = openWatch(server, '/api/v1/namespaces/tables/widgets?watch=1', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  for (const name of ['a', 'b'])
    await server.request('POST', '/api/v1/namespaces/tables/widgets', {
      apiVersion: 'v1',
      kind: 'Widget',
      metadata: { name },
      spec: { size: 3 },
    });
  expect(await watch.next()).toMatchObject({
    object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Size' }], rows: [{ cells: ['a', 3] }] },
  });
  expect(await watch.next()).toMatchObject({ object: { kind: 'Table', columnDefinitions: null, rows: [{ cells: ['b', 3] }] } });
  watch.close();
});

test('an in-process client gets the same watch, and its return() ends a next() that waits', async () => {
  const service = server.server.connect({ name: 'admin', groups: [] });
  const watch = service.watch({ method: 'GET', path: `${path('inside')}?watch=1` })[Symbol.asyncIterator]();
  const first = watch.next();
  await setTimeout(10);
  const created = await service.request({ method: 'POST', path: path('inside'), body: JSON.stringify(configMap('a')) });
  expect(created.code).toBe(201);
  expect(JSON.parse((await first).value as string)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
  const waiting = watch.next();
  await watch.return?.();
  expect((await waiting).done).toBe(true);
  const refused = server.server.connect({ name: 'jane', groups: [] }).watch({ method: 'GET', path: `${path('inside')}?watch=1` });
  await expect(refused[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_STATUS', status: { code: 403 } });
});

test('a watcher that does not read is ended, and costs the others nothing', async () => {
  const before = server.server.api.hub.size;
  const session = http2.connect(`https://127.0.0.1:${server.port}`, { ca: server.pki.ca.cert, settings: { initialWindowSize: 1024 } });
  session.on('error', () => {});
  const stuck = session.request({ ':path': `${path('slow')}?watch=1`, authorization: 'Bearer admin' });
  stuck.pause();
  stuck.on('error', () => {});
  await new Promise((resolve) => stuck.on('response', resolve));
  const reading = openWatch(server, `${path('slow')}?watch=1`);
  for (let index = 0; index < 30; index++)
    await server.request('POST', path('slow'), { ...configMap(`big${index}`), data: { a: 'x'.repeat(900_000) } });
  for (let index = 0; index < 30; index++) expect((await reading.next())?.object.metadata.name).toBe(`big${index}`);
  await vi.waitFor(() => expect(server.server.api.hub.size).toBe(before + 1), 5_000);
  reading.close();
  session.destroy();
}, 20_000);

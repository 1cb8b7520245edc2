import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestServer, testServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ limits: { requestTimeoutMs: 1_500 } });
});
afterAll(() => server[Symbol.asyncDispose]());

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';

/** Whatever came before: the server still answers. */
async function alive(): Promise<void> {
  expect((await server.request('GET', '/readyz')).text).toBe('ok');
}

function isStatus(response: { code: number; json: { kind?: string; status?: string; code?: number } }, code: number): void {
  expect(response.code).toBe(code);
  expect(response.json).toMatchObject({ kind: 'Status', status: 'Failure', code });
}

test.each([
  ['cut off', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"'],
  ['no JSON at all', 'hello'],
  ['empty', ' '],
  ['a list', '[]'],
  ['a number', '7'],
  [
    '10,000 levels deep',
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"data":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
  ],
  ['100,000 lists deep', '['.repeat(100_000)],
  ['with wrong types', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":5},"data":["x"]}'],
  ['of another kind', '{"apiVersion":"v1","kind":"Widget","metadata":{"name":"a"}}'],
  ['of another version', '{"apiVersion":"apps/v9","kind":"ConfigMap","metadata":{"name":"a"}}'],
])('a body that is %s is refused as a bad request', async (_what, body) => {
  isStatus(await server.request('POST', CONFIGMAPS, body), 400);
  await alive();
});

test.each([
  ['malformed YAML', 'a: [b\n c: d'],
  [
    'a YAML bomb',
    `a: &a ["x","x"]\n${Array.from(
      { length: 26 },
      (_, i) =>
        `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [*${String.fromCharCode(97 + i)},*${String.fromCharCode(97 + i)}]`,
    )
      .slice(0, 24)
      .join('\n')}\n`,
  ],
  ['YAML of another shape', 'a: b\n---\nc: d\n- e'],
])('%s is refused as a bad request', async (_what, body) => {
  isStatus(await server.request('POST', CONFIGMAPS, body, { 'content-type': 'application/yaml' }), 400);
  await alive();
});

test('a key named __proto__ changes no prototype', async () => {
  const body =
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto","labels":{"__proto__":"x"},"__proto__":{"polluted":"yes"}},"data":{"__proto__":"v","constructor":"c"},"__proto__":{"polluted":"yes"}}';
  const answer = await server.request('POST', CONFIGMAPS, body);
  expect([201, 400, 422]).toContain(answer.code);
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
  const merged = await server.request('POST', CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'merged' } });
  expect(merged.code).toBe(201);
  await server.request(
    'PATCH',
    `${CONFIGMAPS}/merged`,
    '{"metadata":{"__proto__":{"polluted":"yes"}},"__proto__":{"polluted":"yes"},"data":{"__proto__":"v"}}',
    {
      'content-type': 'application/merge-patch+json',
    },
  );
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
  await alive();
});

test('a body of 4 MiB is refused without being read to its end', async () => {
  const big = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big' }, data: { a: 'x'.repeat(4 << 20) } };
  isStatus(await server.request('POST', CONFIGMAPS, big), 413);
  await alive();
});

test('a body without declared length is cut at the limit', async () => {
  const socket = await connected();
  socket.write(
    `POST ${CONFIGMAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  for (let index = 0; index < 60 && !socket.destroyed; index++) socket.write(chunk);
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 413 /);
  await alive();
});

test.each([
  ['limit=x', 400],
  ['resourceVersion=x', 400],
  ['labelSelector=a%20in', 400],
  ['labelSelector=%00', 400],
  ['fieldSelector=a', 400],
  ['fieldSelector=spec.nope%3Dx', 400],
  ['continue=%25%25', 400],
  ['continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi9hIn0', 400],
  ['resourceVersionMatch=Exact', 422],
  ['resourceVersionMatch=foo&resourceVersion=1', 422],
  ['sendInitialEvents=true', 422],
])('a list with %s is refused with %i', async (query, code) => {
  isStatus(await server.request('GET', `${CONFIGMAPS}?${query}`), code as number);
});

test.each(['UPPER', 'a_b', 'a..b', '-a', 'a/b', '..', 'x'.repeat(254), 'ä', 'a b'])('the name %j is refused as invalid', async (name) => {
  isStatus(await server.request('POST', CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }), 422);
});

test.each([
  ['/api/v1/namespaces/%zz/configmaps/a'],
  ['/api/v1/namespaces/default/configmaps/a%00b'],
  ['/api/v1/namespaces/default/configmaps/a/b/c/d'],
  ['/apis/a/b/c/d/e/f/g/h'],
  [`/api/v1/namespaces/default/configmaps/${'a'.repeat(5000)}`],
])('the odd path %s is answered with a 404', async (path) => {
  expect((await server.request('GET', path)).code).toBe(404);
  await alive();
});

test('headers beyond the limit are refused, and the connection is closed', async () => {
  const socket = await connected();
  socket.write(`GET /readyz HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(100_000)}\r\n\r\n`);
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 431 /);
  await alive();
});

test('what is no HTTP gets an error and a closed connection', async () => {
  const socket = await connected();
  socket.write('hello\r\n\r\n');
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 40[05] /);
  await alive();
});

test('a method nobody knows is refused as not allowed', async () => {
  const socket = await connected();
  socket.write(`FOO ${CONFIGMAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`);
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 405 /);
});

test('a body that trickles in too slowly ends in a timeout and not in a held connection', async () => {
  const socket = await connected();
  socket.write(
    `POST ${CONFIGMAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`,
  );
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 (504|408) /);
  await alive();
});

test('connections that never speak, or only half, leave the server as it was', async () => {
  const raw = net.connect(server.port, '127.0.0.1');
  raw.on('error', () => {});
  const half = await connected();
  half.write('GET /readyz HT');
  half.end();
  raw.write('not TLS at all');
  await new Promise((resolve) => setTimeout(resolve, 50));
  await alive();
  raw.destroy();
  half.destroy();
});

test('a client that goes away in the middle of an answer or a watch disturbs nobody', async () => {
  for (const path of [CONFIGMAPS, `${CONFIGMAPS}?watch=1`]) {
    const socket = await connected();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.destroy();
  }
  await server.request('POST', CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'after-' } });
  await alive();
  expect(server.server.api.hub.size).toBe(0);
});

function connected(): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: server.pki.ca.cert, servername: 'localhost' }, () =>
      resolve(socket),
    );
    socket.on('error', reject);
  });
}

/** Everything the server says until it closes or has been silent for a while. */
function answerOf(socket: tls.TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on('error', done);
    socket.on('close', done);
    socket.on('data', (part) => {
      text += part.toString();
      setTimeout(done, 100);
    });
  });
}

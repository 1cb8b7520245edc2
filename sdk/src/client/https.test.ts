import 'reflect-metadata';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { ConfigMap } from '../api/kinds/index.ts';
import { StatusError } from '../errors.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { createHttpsService, type HttpsOptions, type HttpsService } from './https.ts';
import { createInformer } from './informer.ts';
import { fromKubeconfig } from './kubeconfig.ts';
import { CONFIG_MAPS } from './resources.ts';
import { createClient } from './rest-client.ts';

/** The fake API behind a real HTTP/2 server with a real certificate. */
class FakeHttpsServer {
  readonly api = new FakeApi();
  readonly seen: { token: string | undefined; path: string }[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  opened = 0;
  #server: Http2SecureServer | undefined;
  port = 0;

  async listen(port = 0): Promise<void> {
    const server = createSecureServer({ cert: pems.cert, key: pems.key });
    server.on('session', (session) => {
      this.opened++;
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
    });
    server.on('stream', async (stream, headers): Promise<unknown> => {
      const path = String(headers[':path']);
      this.seen.push({ token: headers.authorization, path });
      stream.on('error', () => undefined);
      if (path.includes('watch=true')) {
        try {
          const batches = this.api.watch({ method: 'GET', path });
          if (path.includes('resourceVersion=1&')) throw new StatusError(410, 'Expired', 'too old resource version');
          stream.respond({ ':status': 200, 'content-type': 'application/json' });
          for await (const batch of batches) {
            // In the middle of a line, so that the reader has to put lines together.
            stream.write(batch.slice(0, 7));
            await new Promise((resolve) => setTimeout(resolve, 2));
            stream.write(batch.slice(7));
          }
          stream.end();
        } catch (error) {
          const { status } = error as StatusError;
          if (!status) return stream.destroy(new Error('cut off'));
          stream.respond({ ':status': status.code });
          stream.end(JSON.stringify(status));
        }
        return;
      }
      let body = '';
      for await (const chunk of stream) body += chunk;
      const method = String(headers[':method']) as 'GET';
      const answer = await this.api.request({ method, path, body, contentType: String(headers['content-type']) });
      stream.respond({ ':status': answer.code, warning: '299 - "be \\"careful\\""' });
      stream.end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

let pems: { cert: string; key: string };
let folder: string;
const opened: HttpsService[] = [];
const servers: FakeHttpsServer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubernel-https-'));
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  pems = { cert: certificate.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n` };
});

afterEach(async () => {
  for (const service of opened.splice(0)) service.close();
  for (const server of servers.splice(0)) await server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function setUp(options: Partial<HttpsOptions> = {}) {
  const server = new FakeHttpsServer();
  servers.push(server);
  await server.listen();
  const service = createHttpsService({ server: `https://127.0.0.1:${server.port}`, ca: pems.cert, ...options });
  opened.push(service);
  return { server, service, client: createClient(service) };
}

const configMap = (name: string): ConfigMap => ({ metadata: { name, namespace: 'x' }, data: {} });

test('requests go over one connection and refusals are told with their Status', async () => {
  const { server, service, client } = await setUp();
  await Promise.all(Array.from({ length: 20 }, (_, i) => client.create(CONFIG_MAPS, configMap(`c${i}`))));
  expect((await client.list(CONFIG_MAPS)).items).toHaveLength(20);
  await expect(client.get(CONFIG_MAPS, 'none', { namespace: 'x' })).rejects.toMatchObject({ status: { reason: 'NotFound' } });
  expect(server.opened).toBe(1);
  const answer = await service.request({ method: 'GET', path: '/api/v1/configmaps' });
  expect(answer.warnings).toEqual(['be "careful"']);
});

test('a server that is restarted is found again', async () => {
  const { server, client } = await setUp();
  await client.list(CONFIG_MAPS);
  await server.close();
  await expect(client.list(CONFIG_MAPS)).rejects.toMatchObject({ code: 'ERR_API_UNAVAILABLE' });
  await server.listen(server.port);
  await expect(client.list(CONFIG_MAPS)).resolves.toBeTruthy();
});

test('an informer over HTTPS survives a lost connection without missing anything', async () => {
  const { server, client } = await setUp();
  const informer = createInformer<ConfigMap>(client, CONFIG_MAPS);
  await informer.synced();
  await vi.waitFor(() => expect(server.api.watches).toBe(1));
  server.api.put(CONFIG_MAPS, configMap('a'));
  await vi.waitFor(() => expect(informer.size).toBe(1));
  for (const session of server.sessions) session.destroy();
  server.api.put(CONFIG_MAPS, configMap('b'));
  await vi.waitFor(() => expect(informer.size).toBe(2));
  expect(server.seen.filter(({ path }) => !path.includes('watch=true'))).toHaveLength(1);
  informer.stop();
});

test('a watch that is cut off fails, one that is refused has its Status, one that is aborted is closed at the server', async () => {
  const { server, client } = await setUp();
  const watchOf = async (resourceVersion: string): Promise<void> => {
    for await (const _ of client.watch(CONFIG_MAPS, { resourceVersion }));
  };
  const cut = watchOf('100');
  await vi.waitFor(() => expect(server.api.watches).toBe(1));
  server.api.disconnect();
  await expect(cut).rejects.toMatchObject({ code: 'ERR_API_UNAVAILABLE' });
  server.api.compact();
  await expect(watchOf('1')).rejects.toMatchObject({ status: { code: 410, reason: 'Expired' } });
  const abort = new AbortController();
  const watching = (async () => {
    for await (const _ of client.watch(CONFIG_MAPS, { signal: abort.signal }));
  })();
  await vi.waitFor(() => expect(server.api.watches).toBe(1));
  abort.abort();
  await watching;
});

test('a token file is read again when it was rotated', async () => {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'one\n');
  const { server, client } = await setUp({ tokenFile });
  await client.list(CONFIG_MAPS);
  writeFileSync(tokenFile, 'two\n');
  utimesSync(tokenFile, new Date(), new Date(Date.now() + 5000));
  await client.list(CONFIG_MAPS);
  // The file is looked at once a second.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1001 });
  await client.list(CONFIG_MAPS);
  vi.useRealTimers();
  expect(server.seen.map(({ token }) => token)).toEqual(['Bearer one', 'Bearer one', 'Bearer two']);
});

test('too large a body is refused before it is sent', async () => {
  const { server, client } = await setUp({ maxRequestBytes: 100 });
  await expect(client.create(CONFIG_MAPS, { ...configMap('a'), data: { k: 'x'.repeat(200) } })).rejects.toMatchObject({
    code: 'ERR_CLIENT_ARGUMENT',
  });
  expect(server.seen).toEqual([]);
});

test('a server that does not answer in time is unavailable, and so is one nobody vouches for', async () => {
  const { server, client } = await setUp({ requestTimeoutMs: 50 });
  server.api.onRequest = () => new Promise((resolve) => setTimeout(resolve, 500));
  await expect(client.list(CONFIG_MAPS)).rejects.toMatchObject({
    code: 'ERR_API_UNAVAILABLE',
    message: expect.stringContaining('no answer in time'),
  });
  const stranger = createHttpsService({ server: `https://127.0.0.1:${server.port}` });
  opened.push(stranger);
  await expect(createClient(stranger).list(CONFIG_MAPS)).rejects.toMatchObject({
    code: 'ERR_API_UNAVAILABLE',
    message: expect.stringContaining('self-signed'),
  });
});

test('a connection that answers no pings is dropped', async () => {
  const { server } = await setUp();
  // A cable that is pulled: nothing goes through any more, and nobody says so.
  let pulled = false;
  const sockets = new Set<Socket>();
  const cable = createServer((near) => {
    const far = connect(server.port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => void (pulled || to.write(data))).on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => cable.listen(0, '127.0.0.1', resolve));
  const service = createHttpsService({ server: `https://127.0.0.1:${(cable.address() as AddressInfo).port}`, ca: pems.cert, pingMs: 50 });
  opened.push(service);
  const client = createClient(service);
  await client.list(CONFIG_MAPS);
  pulled = true;
  await expect(client.list(CONFIG_MAPS)).rejects.toMatchObject({ code: 'ERR_API_UNAVAILABLE', message: expect.stringContaining('pings') });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => cable.close(resolve));
});

test('an address that is no https is refused', () => {
  expect(() => createHttpsService({ server: 'http://localhost' })).toThrow(/not an https address/);
});

test('a kubeconfig gives address and credentials of its context', () => {
  const file = join(folder, 'kubeconfig');
  writeFileSync(join(folder, 'ca.pem'), 'CA');
  writeFileSync(
    file,
    `apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: c, user: u}}
- {name: two, context: {cluster: c, user: plugin}}
- {name: three, context: {cluster: none, user: u}}
clusters:
- {name: c, cluster: {server: "https://h:6443", certificate-authority: ca.pem, tls-server-name: api}}
users:
- {name: u, user: {client-certificate-data: ${btoa('CERT')}, client-key-data: ${btoa('KEY')}, tokenFile: t}}
- {name: plugin, user: {exec: {command: x}}}
`,
  );
  expect(fromKubeconfig(file)).toEqual({
    server: 'https://h:6443',
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
    tokenFile: join(folder, 't'),
    serverName: 'api',
  });
  expect(() => fromKubeconfig(file, 'two')).toThrow(/credential plugin/);
  expect(() => fromKubeconfig(file, 'three')).toThrow(/no cluster "none"/);
  expect(() => fromKubeconfig(file, 'four')).toThrow(/no context "four"/);
  expect(() => fromKubeconfig(join(folder, 'missing'))).toThrow(/cannot be read/);
});

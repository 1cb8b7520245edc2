import https from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import type { ApiGroup } from '@kubernel/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixtureGroup } from './testing/fixture-group.ts';
import { type TestServer, testServer } from './testing/test-server.ts';

/** Pods and nodes with just the fields that connections look at. */
const kind = {
  kind: ['string', 0, 'e'],
  apiVersion: ['string', 0, 'e'],
  metadata: ['meta.v1.ObjectMeta', 1, 'e'],
  spec: ['any', 2, 'e'],
  status: ['any', 3, 'e'],
} as const;
const connectable: ApiGroup = {
  ...fixtureGroup,
  types: { ...fixtureGroup.types, 'core.v1.Pod': kind, 'core.v1.Node': kind },
  resources: [
    ...fixtureGroup.resources,
    {
      group: '',
      version: 'v1',
      kind: 'Pod',
      plural: 'pods',
      singular: 'pod',
      namespaced: true,
      verbs: ['create', 'get'],
      type: 'core.v1.Pod',
      subresources: {
        log: { type: 'connect', verbs: ['get'], kind: { group: '', version: 'v1', kind: 'Pod' }, methods: ['GET'], connect: 'log' },
        exec: {
          type: 'connect',
          verbs: ['get', 'create'],
          kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
          methods: ['GET', 'POST'],
          connect: 'exec',
        },
      },
    },
    {
      group: '',
      version: 'v1',
      kind: 'Node',
      plural: 'nodes',
      singular: 'node',
      namespaced: false,
      verbs: ['create', 'get'],
      type: 'core.v1.Node',
    },
  ],
};

let server: TestServer;
/** Stands in for a kubelet: answers logs in two parts, and echoes what comes over an upgraded connection. */
let kubelet: https.Server;
let seen: { url: string | undefined; authorization: string | undefined; certificate: string | undefined }[] = [];

beforeAll(async () => {
  server = await testServer({ apiGroups: [connectable] });
  kubelet = https.createServer({ ...server.pki.serving, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    note(request.url, request.headers.authorization, request.socket as tls.TLSSocket);
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.write('first\n');
    setTimeout(() => response.end('second\n'), 50);
  });
  kubelet.on('upgrade', (request, socket) => {
    note(request.url, request.headers.authorization, socket as tls.TLSSocket);
    socket.on('error', () => {});
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade}\r\nConnection: Upgrade\r\n\r\n`);
    socket.on('data', (part: Buffer) => socket.write(part));
  });
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  const { port } = kubelet.address() as AddressInfo;
  await server.request('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1' },
    status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } },
  });
  for (const [name, nodeName] of [
    ['here', 'n1'],
    ['nowhere', undefined],
  ]) {
    await server.request('POST', '/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { nodeName, containers: [{ name: 'c' }] },
    });
  }
});
afterAll(async () => {
  kubelet.closeAllConnections();
  kubelet.close();
  await server[Symbol.asyncDispose]();
});

function note(url: string | undefined, authorization: string | undefined, socket: tls.TLSSocket): void {
  const { subject } = socket.getPeerCertificate();
  seen.push({ url, authorization, certificate: subject && String(subject.CN) });
}

const pod = (name: string): string => `/api/v1/namespaces/default/pods/${name}`;

test('logs are streamed from the kubelet of the node the pod is on', async () => {
  seen = [];
  const answer = await server.request('GET', `${pod('here')}/log?tailLines=5&follow=true`);
  expect(answer.text).toBe('first\nsecond\n');
  expect(seen).toMatchObject([{ url: '/containerLogs/default/here/c?follow=true&tailLines=5', authorization: undefined }]);
});

test('a pod that is on no node has no log, and nothing to execute in', async () => {
  expect((await server.request('GET', `${pod('nowhere')}/log`)).code).toBe(204);
  const refused = await server.request('POST', `${pod('nowhere')}/exec?command=ls&stdout=1`);
  expect(refused.code).toBe(400);
  expect(refused.json.message).toBe('pod nowhere does not have a host assigned');
});

test.each(['websocket', 'SPDY/3.1'])('an upgrade to %s goes through byte for byte, without the caller’s token', async (protocol) => {
  seen = [];
  const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: server.pki.ca.cert, servername: 'localhost' });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  socket.write(
    `GET ${pod('here')}/exec?command=cat&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`,
  );
  const received = reader(socket);
  expect(await received(/\r\n\r\n$/)).toMatch(/^HTTP\/1\.1 101 /);
  const bytes = Buffer.from([0, 255, 1, 254, 13, 10]);
  socket.write(bytes);
  expect(await received(/\r\n$/)).toBe(bytes.toString('latin1'));
  expect(seen).toMatchObject([{ url: '/exec/default/here/c?input=1&output=1&command=cat', authorization: undefined }]);
  socket.destroy();
});

test('an upgrade that is not allowed is refused before anything is opened', async () => {
  seen = [];
  const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: server.pki.ca.cert, servername: 'localhost' });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  socket.write(
    `GET ${pod('here')}/exec?command=cat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer jane\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  expect(await reader(socket)(/\}$/)).toMatch(/^HTTP\/1\.1 403 Forbidden[\s\S]*"reason":"Forbidden"/);
  expect(seen).toEqual([]);
  socket.destroy();
});

test('a kubelet that cannot be reached is an error that says so', async () => {
  await server.request('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'gone' },
    status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } },
  });
  await server.request('POST', '/api/v1/namespaces/default/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'lost' },
    spec: { nodeName: 'gone', containers: [{ name: 'c' }] },
  });
  const answer = await server.request('GET', `${pod('lost')}/log`);
  expect(answer.code).toBe(500);
  expect(answer.json.message).toMatch(/^Internal error occurred: error dialing backend: /);
});

/** Takes from a socket until what came so far matches. */
function reader(socket: tls.TLSSocket): (until: RegExp) => Promise<string> {
  let text = '';
  let wake: (() => void) | undefined;
  socket.on('data', (part: Buffer) => {
    text += part.toString('latin1');
    wake?.();
  });
  return async (until) => {
    while (!until.test(text)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const found = text;
    text = '';
    return found;
  };
}

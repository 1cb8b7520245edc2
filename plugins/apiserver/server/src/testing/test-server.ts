import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiGroup, ClusterSettings, Extension, Extensions, Logger, MetricsFactory, Store } from '@kubernel/sdk';
import { type Assembled, assemble, type Parts } from '../assemble.ts';
import { documents } from '../documents.ts';
import type { Listener } from '../http/listener.ts';
import { serve } from '../http/serve.ts';
import type { HttpLimits } from '../http/server.ts';
import { ensurePki, type Pki } from '../pki.ts';
import { schemaTypes } from '../types-of-groups.ts';
import { FakeStore } from './fake-store.ts';
import { fixtureGroup } from './fixture-group.ts';

export function extensions<T>(...instances: T[]): Extensions<T> {
  const list: Extension<T>[] = instances.map((instance, index) => ({ name: String(index), instance, config: {} }));
  return { length: list.length, get: () => list[0]?.instance, onChange: () => {}, [Symbol.iterator]: () => list[Symbol.iterator]() };
}

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error: (message, fields) => console.error(message, fields) };
export const noMetrics: MetricsFactory = {
  counter: () => ({ inc() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ observe() {} }),
};
export const testCluster: ClusterSettings = {
  name: 'test',
  clusterDomain: 'cluster.local',
  serviceCIDRs: ['10.96.0.0/16'],
  podCIDRs: ['10.244.0.0/16'],
  clusterDNS: ['10.96.0.10'],
  nodePortRange: [30000, 32767],
};

export interface TestServer extends AsyncDisposable {
  readonly store: Store;
  readonly server: Assembled;
  readonly listener: Listener;
  readonly pki: Pki;
  readonly port: number;
  readonly dir: string;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestResponse>;
  agent: https.Agent;
}

export interface TestResponse {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came back.
  json: any;
}

export interface TestOptions extends Partial<Parts> {
  apiGroups?: readonly ApiGroup[];
  limits?: Partial<HttpLimits>;
}

/** A server over HTTPS on a random port; tokens are `Bearer <user>` or `Bearer <user>,<group>`, and `admin` may do anything. */
export async function testServer(options: TestOptions = {}): Promise<TestServer> {
  const dir = mkdtempSync(join(tmpdir(), 'kubernel-apiserver-'));
  const store = options.store ?? new FakeStore();
  const server = assemble({
    store,
    groups: options.apiGroups ?? [fixtureGroup],
    authenticators: extensions({
      authenticate({ headers }) {
        const [name, ...groups] = (headers.authorization ?? '').replace(/^Bearer /, '').split(',');
        if (name === 'bad') throw new Error('bad token');
        return name ? { name, groups } : null;
      },
    }),
    authorizers: extensions({ authorize: ({ user }) => ({ decision: user.name === 'admin' ? 'allow' : 'no-opinion' }) }),
    admission: extensions(),
    cluster: testCluster,
    log: quiet,
    metrics: noMetrics,
    makeTypes: schemaTypes,
    documents: (api) => documents(api, () => '127.0.0.1'),
    metricsText: async () => '',
    ...options,
  });
  const abort = new AbortController();
  const pki = await ensurePki(join(dir, 'pki'), ['localhost', '127.0.0.1']);
  await server.start(abort.signal);
  await server.initExtensions();
  const listener = await serve(server, {
    host: '127.0.0.1',
    port: 0,
    serving: pki.serving,
    reusePort: false,
    nodeTrust: undefined,
    limits: options.limits ?? {},
  });
  const agent = new https.Agent({ keepAlive: true, ca: pki.ca.cert });
  const { port } = listener.address;
  return {
    store,
    server,
    listener,
    pki,
    port,
    dir,
    agent,
    request: (method, path, body, headers = {}) => send(port, agent, method, path, body, headers),
    async [Symbol.asyncDispose]() {
      abort.abort();
      server.close();
      agent.destroy();
      await listener.close(0);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function send(
  port: number,
  agent: https.Agent,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<TestResponse> {
  const text = body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const all: Record<string, string> = {
    authorization: 'Bearer admin',
    ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  for (const name of Object.keys(all)) if (all[name] === '') delete all[name];
  return new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', port, method, path, headers: all, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const answer = Buffer.concat(parts).toString();
        let json: unknown;
        try {
          json = JSON.parse(answer);
        } catch {}
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text: answer, json });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(text);
  });
}

/** Opens a watch and hands out its events one by one. */
export function openWatch(server: TestServer, path: string, headers: Record<string, string> = {}) {
  const events: {
    type: string;
    object: { metadata: { name?: string; resourceVersion?: string; labels?: Record<string, string> }; [field: string]: unknown };
  }[] = [];
  let wake: (() => void) | undefined;
  let ended = false;
  const request = https.request(
    {
      host: '127.0.0.1',
      port: server.port,
      path,
      headers: { authorization: 'Bearer admin', ...headers },
      agent: new https.Agent({ ca: server.pki.ca.cert }),
    },
    (response) => {
      let rest = '';
      response.on('data', (part: Buffer) => {
        rest += part.toString();
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        for (const text of lines) events.push(JSON.parse(text));
        wake?.();
      });
      response.on('close', () => {
        ended = true;
        wake?.();
      });
    },
  );
  request.on('error', () => {});
  request.end();
  return {
    async next() {
      while (events.length === 0) {
        if (ended) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return events.shift();
    },
    close: () => request.destroy(),
  };
}

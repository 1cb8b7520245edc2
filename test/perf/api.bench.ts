/**
 * The API over HTTPS, as a client sees it: `npm run bench -- api [--quick] [--objects 10000]`.
 *
 * A cluster of its own (config/golden.yaml without controllers would be the easy case: this is config/dev.yaml without
 * simulated nodes, with RBAC and the default admission chain) is started in a process of its own and loaded over HTTP/1.1
 * keep-alive connections from this one, on the same cores. CPU seconds are the server's.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { median, percentile, type Row, report } from './report.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const quick = process.argv.includes('--quick');
const objectsAt = process.argv.indexOf('--objects');
const OBJECTS = objectsAt > 0 ? Number(process.argv[objectsAt + 1]) : quick ? 1_000 : 10_000;
const ROUNDS = quick ? 1 : 3;

interface Target {
  url: URL;
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
  pid: number;
  startMs: number;
}

const dir = mkdtempSync(join(tmpdir(), 'kubernel-bench-'));
const config = join(dir, 'bench.yaml');
const dev = readFileSync(join(ROOT, 'config', 'dev.yaml'), 'utf8');
writeFileSync(config, dev.replace(/^ +(kubelet\/agent|cri\/sim):.*\n/gm, ''));

async function start(dataDir: string): Promise<Target & { stop(): Promise<void> }> {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [join(ROOT, 'kernel', 'dist', 'cli', 'main.js'), 'up', '--config', config, '--data-dir', dataDir, '--port', '0'],
    // The environment of `npm run up`.
    { stdio: ['ignore', 'pipe', 'inherit'], env: { MALLOC_ARENA_MAX: '2', ...process.env } },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let startMs = 0;
  while (!output.includes('export KUBECONFIG=')) {
    if (child.exitCode !== null) throw new Error(output);
    if (startMs === 0 && output.includes('apiserver/server')) startMs = performance.now() - began;
    await delay(2);
  }
  const file = parse(readFileSync(join(dataDir, 'kubeconfig'), 'utf8')) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const { cluster } = file.clusters[0] as { cluster: Record<string, string> };
  const { user } = file.users[0] as { user: Record<string, string> };
  const decode = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');
  return {
    url: new URL(cluster['server'] as string),
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
    pid: child.pid as number,
    startMs,
    stop: () =>
      new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

function client(target: Target, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca: target.ca, cert: target.cert, key: target.key });
  const send = (method: string, path: string, body?: string): Promise<{ code: number; bytes: number; text: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          agent,
          host: target.url.hostname,
          port: target.url.port,
          method,
          path,
          headers: body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {},
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const data = Buffer.concat(chunks);
            resolve({ code: response.statusCode ?? 0, bytes: data.length, text: data.length < 4096 ? data.toString() : '' });
          });
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function rssMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

function pod(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'bench', tier: 'load', index: name }, annotations: { pad: 'x'.repeat(330) } },
    spec: {
      schedulerName: 'nobody',
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'main',
          image: 'registry.example/pause:3.10',
          env: [{ name: 'A', value: 'alpha' }],
          ports: [{ containerPort: 8080 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
        },
      ],
    },
  });
}

interface Load {
  perSecond: number;
  p50: number;
  p99: number;
  cpuMsEach: number;
}

async function load(
  target: Target,
  count: number,
  connections: number,
  once: (send: ReturnType<typeof client>['send'], i: number) => Promise<{ code: number }>,
): Promise<Load> {
  const { send, close } = client(target, connections);
  const lags: number[] = [];
  const cpu = cpuSeconds(target.pid);
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let i = next++; i < count; i = next++) {
        const sent = performance.now();
        const { code } = await once(send, i);
        if (code >= 300) throw new Error(`HTTP ${code}`);
        lags.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  close();
  return {
    perSecond: count / seconds,
    p50: percentile(lags, 0.5),
    p99: percentile(lags, 0.99),
    cpuMsEach: ((cpuSeconds(target.pid) - cpu) * 1000) / count,
  };
}

const rows: Row[] = [];
const add = (what: string, unit: string, values: number[], target?: string): void =>
  void rows.push({
    what,
    unit,
    value: median(values),
    range: [Math.min(...values), Math.max(...values)],
    runs: values.length,
    ...(target ? { target } : {}),
  });

try {
  // The first start makes keys; the others are what a restart costs.
  await (await start(join(dir, 'data'))).stop();
  const starts: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const once = await start(join(dir, 'data'));
    starts.push(once.startMs);
    if (i === 0) {
      // Past what an idle isolate collects of its start, and what V8 tidies after that.
      await delay(20_000);
      const cpu = cpuSeconds(once.pid);
      await delay(5000);
      add('RSS idle, all of the control plane', 'MiB', [rssMib(once.pid)], '<= 160');
      add('CPU idle', '% of a core', [((cpuSeconds(once.pid) - cpu) / 5) * 100], '< 1');
    }
    await once.stop();
  }
  add('start to serving', 'ms', starts, '<= 500');

  const target = await start(join(dir, 'data'));
  const { send, close } = client(target, 1);
  await send('POST', '/api/v1/namespaces', JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } }));
  while ((await send('GET', '/api/v1/namespaces/bench/serviceaccounts/default')).code !== 200) await delay(20);

  const rounds = <T>(run: (round: number) => Promise<T>): Promise<T[]> =>
    Array.from({ length: ROUNDS }, (_, i) => i).reduce<Promise<T[]>>(
      async (done, i) => [...(await done), await run(i)],
      Promise.resolve([]),
    );
  const serial = await rounds((r) =>
    load(target, quick ? 200 : 1000, 1, (sendOne, i) =>
      sendOne(
        'POST',
        '/api/v1/namespaces/bench/configmaps',
        JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `s${r}-${i}` }, data: { text: 'y'.repeat(100) } }),
      ),
    ),
  );
  add(
    'create a ConfigMap, one at a time: p50',
    'ms',
    serial.map((one) => one.p50),
    '<= 0.8',
  );
  add(
    'create a ConfigMap, one at a time: p99',
    'ms',
    serial.map((one) => one.p99),
    '<= 4',
  );
  const creates = await rounds((r) =>
    load(target, Math.ceil(OBJECTS / ROUNDS), 32, (sendOne, i) => sendOne('POST', '/api/v1/namespaces/bench/pods', pod(`p${r}-${i}`))),
  );
  add(
    'create a Pod, 32 connections',
    '/s',
    creates.map((one) => one.perSecond),
    '>= 2.5x upstream',
  );
  add(
    'create a Pod, 32 connections: p99',
    'ms',
    creates.map((one) => one.p99),
  );
  add(
    'create a Pod: server CPU',
    'ms',
    creates.map((one) => one.cpuMsEach),
    '<= 0.43',
  );
  const gets = await rounds(() =>
    load(target, quick ? 2_000 : 10_000, 32, (sendOne) => sendOne('GET', '/api/v1/namespaces/bench/pods/p0-0')),
  );
  add(
    'GET, 32 connections',
    '/s',
    gets.map((one) => one.perSecond),
    '>= 2x upstream',
  );
  add(
    'GET: server CPU',
    'ms',
    gets.map((one) => one.cpuMsEach),
  );
  const lists = await rounds(async () => {
    const began = performance.now();
    await send('GET', '/api/v1/namespaces/bench/pods');
    return performance.now() - began;
  });
  add(`LIST ${OBJECTS} Pods`, 'ms', lists, OBJECTS === 10_000 ? '<= 80' : undefined);
  add(`RSS with ${OBJECTS} Pods`, 'MiB', [rssMib(target.pid)], OBJECTS === 10_000 ? '<= 250' : undefined);
  await delay(30_000);
  add(`RSS with ${OBJECTS} Pods, idle for 30 s`, 'MiB', [rssMib(target.pid)], OBJECTS === 10_000 ? '<= 250' : undefined);
  close();
  await target.stop();
  report(`api-${OBJECTS}`, rows);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

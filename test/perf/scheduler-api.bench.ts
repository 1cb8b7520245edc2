/**
 * Scheduling as a user sees it, through the API: `npm run bench -- scheduler-api [--nodes 1000] [--pods 5000] [--rounds 3]`.
 *
 * A cluster of config/dev.yaml without kubelets gets nodes and pending pods first; then the scheduler is added to its config
 * file while it runs, and a watch counts pods as they get their node. The binding of each is durable and goes through the
 * API server with authorization and admission. Client and server share the machine.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { percentile, type Row, report } from './report.ts';
import { type ServedCluster, serveCluster } from './served-cluster.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    pods: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
  },
});
const NODES = values.quick ? 100 : Number(values.nodes);
const PODS = values.quick ? 500 : Number(values.pods);
const ROUNDS = values.quick ? 1 : Number(values.rounds);

const dev = readFileSync(join(import.meta.dirname, '..', '..', 'config', 'dev.yaml'), 'utf8').replace(
  /^ +(kubelet\/agent|cri\/sim):.*\n/gm,
  '',
);
const withoutScheduler = dev.replace(/^ +(scheduler\/default|scheduler-policy\/[a-z-]+):.*\n/gm, '');

function node(i: number): string {
  const name = `node-${i}`;
  const size = { cpu: '32', memory: '128Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${i % 3}` } },
    status: { capacity: size, allocatable: size, conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

function pod(i: number): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${i}`, labels: { app: 'bench' } },
    spec: { containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu: '100m', memory: '500Mi' } } }] },
  });
}

async function createAll(cluster: ServedCluster, count: number, path: string, body: (i: number) => string): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const { code, text } = await cluster.send('POST', path, body(next++));
      if (code !== 201) throw new Error(`POST ${path}: ${code} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

interface Round {
  podsPerSecond: number;
  steady: number;
  firstMs: number;
  p99Ms: number;
  cpuMsEach: number;
}

async function round(): Promise<Round> {
  const dir = mkdtempSync(join(tmpdir(), 'kubernel-bench-'));
  const config = join(dir, 'cluster.yaml');
  writeFileSync(config, withoutScheduler);
  const cluster = await serveCluster(config, join(dir, 'data'), 32);
  try {
    while ((await cluster.send('GET', '/api/v1/namespaces/default/serviceaccounts/default')).code !== 200) await delay(20);
    await createAll(cluster, NODES, '/api/v1/nodes', node);
    // Admission taints new nodes until the node controller has seen them ready.
    for (let i = 0; i < NODES; i++)
      await cluster.send('PATCH', `/api/v1/nodes/node-${i}`, '{"spec":{"taints":null}}', 'application/merge-patch+json');
    await createAll(cluster, PODS, '/api/v1/namespaces/default/pods', pod);
    const list = await cluster.send('GET', '/api/v1/namespaces/default/pods?limit=1');
    const revision = /"resourceVersion":"(\d+)"/.exec(list.text)?.[1];
    const at: number[] = [];
    const bound = new Set<string>();
    let rest = '';
    const watch = cluster.stream(`/api/v1/namespaces/default/pods?watch=1&resourceVersion=${revision}`, (text) => {
      const now = performance.now();
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const name = /"name":"(pod-\d+)"/.exec(line)?.[1];
        if (!name || bound.has(name) || !line.includes('"nodeName":"')) continue;
        bound.add(name);
        at.push(now);
      }
    });
    const cpu = cluster.cpuSeconds();
    const start = performance.now();
    writeFileSync(config, dev);
    while (at.length < PODS) {
      if (performance.now() - start > 300_000) throw new Error(`only ${at.length} of ${PODS} pods got a node in 5 minutes`);
      await delay(5);
    }
    watch.close();
    const [first, last] = [at[0] as number, at.at(-1) as number];
    const [tenth, ninetieth] = [at[Math.floor(PODS * 0.1)] as number, at[Math.floor(PODS * 0.9)] as number];
    return {
      podsPerSecond: ((PODS - 1) / (last - first)) * 1000,
      steady: ((PODS * 0.8) / (ninetieth - tenth)) * 1000,
      firstMs: first - start,
      p99Ms: percentile(at, 0.99) - first,
      cpuMsEach: ((cluster.cpuSeconds() - cpu) / PODS) * 1000,
    };
  } finally {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const rounds: Round[] = [];
for (let i = 0; i < ROUNDS; i++) rounds.push(await round());
const row = (what: string, unit: string, pick: (round: Round) => number, target?: string): Row => {
  const sorted = rounds.map(pick).sort((a, b) => a - b);
  return {
    what,
    unit,
    value: sorted[Math.floor(sorted.length / 2)] as number,
    range: [sorted[0] as number, sorted.at(-1) as number],
    runs: ROUNDS,
    ...(target ? { target } : {}),
  };
};
report(`scheduler-api-${NODES}`, [
  row(
    `${PODS} pods on ${NODES} nodes, first to last binding`,
    '/s',
    ({ podsPerSecond }) => podsPerSecond,
    NODES === 1000 ? '>= 2500' : undefined,
  ),
  row('the same, between 10% and 90%', '/s', ({ steady }) => steady),
  row('from the change of the config to the first binding', 'ms', ({ firstMs }) => firstMs),
  row('99% bound, from the first binding', 'ms', ({ p99Ms }) => p99Ms),
  row('CPU of the whole cluster for each pod', 'ms', ({ cpuMsEach }) => cpuMsEach),
]);

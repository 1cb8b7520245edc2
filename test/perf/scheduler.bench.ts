/**
 * How many pods a second the scheduling cycle decides, without an API: `node test/perf/scheduler.bench.ts [--nodes 1000,5000]
 * [--pods 5000] [--only basic,spreading]`. Cases and pod shapes follow upstream's scheduler_perf; its floors at 5,000 nodes
 * are given beside. Each binding is confirmed as an informer would, so the cost of counting pods is in.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Scheduler } from '@kubernel/scheduler-core';
import { defaultBinder, prioritySort, schedulingGates } from '@kubernel/scheduler-policies-basics';
import { imageLocality, nodeAffinity, nodeName, nodePorts, nodeUnschedulable, taints } from '@kubernel/scheduler-policies-nodes';
import { balancedAllocation, resourcesFit } from '@kubernel/scheduler-policies-resources';
import { interPodAffinity, topologySpread } from '@kubernel/scheduler-policies-topology';
import type { Extension, Extensions, SchedulerPolicy } from '@kubernel/sdk';
import type { KubeObject, Node, Pod } from '@kubernel/sdk/api';
import type { Client, Informer, SharedInformers } from '@kubernel/sdk/client';

interface Case {
  name: string;
  /** Upstream's floor at 5,000 nodes, pods/s. */
  floor: number;
  /** Times the floor that we want. */
  target: number;
  labels?: (i: number, nodes: number) => Record<string, string>;
  spec?: (i: number, nodes: number) => Partial<Pod['spec']>;
}

const onHosts = (labels: Record<string, string>, more: object = {}) => ({
  topologyKey: 'kubernetes.io/hostname',
  labelSelector: { matchLabels: labels },
  ...more,
});
const onZones = (labels: Record<string, string>) => ({
  topologyKey: 'topology.kubernetes.io/zone',
  labelSelector: { matchLabels: labels },
});
/** One pod per node and group, as many groups as the pods need. */
const group = (i: number, nodes: number) => ({ color: `green-${Math.floor(i / nodes)}` });

const CASES: Case[] = [
  { name: 'basic', floor: 680, target: 3 },
  {
    name: 'spreading',
    floor: 460,
    target: 3,
    labels: () => ({ color: 'blue' }),
    spec: () => ({
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { color: 'blue' } },
        },
      ],
    }),
  },
  {
    name: 'preferred spreading',
    floor: 460,
    target: 3,
    labels: () => ({ color: 'blue' }),
    spec: () => ({
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { color: 'blue' } },
        },
        {
          maxSkew: 5,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { color: 'blue' } },
        },
      ],
    }),
  },
  {
    name: 'node affinity',
    floor: 220,
    target: 3,
    spec: () => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['zone-0', 'zone-1'] }] },
            ],
          },
        },
      },
    }),
  },
  {
    name: 'daemonset',
    floor: 1100,
    target: 3,
    spec: (i, nodes) => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [`node-${i % nodes}`] }] }],
          },
        },
      },
    }),
  },
  {
    name: 'preferred affinity',
    floor: 90,
    target: 20,
    labels: () => ({ color: 'red' }),
    spec: () => ({
      affinity: {
        podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: onHosts({ color: 'red' }) }] },
      },
    }),
  },
  {
    name: 'preferred anti-affinity',
    floor: 90,
    target: 20,
    labels: () => ({ color: 'yellow' }),
    spec: () => ({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: onHosts({ color: 'yellow' }) }],
        },
      },
    }),
  },
  {
    name: 'anti-affinity',
    floor: 60,
    target: 20,
    labels: group,
    spec: (i, nodes) => ({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [onHosts(group(i, nodes))] } } }),
  },
  {
    name: 'required affinity',
    floor: 35,
    target: 20,
    labels: () => ({ color: 'blue' }),
    spec: () => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [onZones({ color: 'blue' })] } } }),
  },
  {
    name: 'anti-affinity + NSSelector',
    floor: 24,
    target: 20,
    labels: group,
    spec: (i, nodes) => ({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            onHosts(group(i, nodes), { namespaceSelector: { matchLabels: { team: 'devops' } } }),
          ],
        },
      },
    }),
  },
];

const POLICIES: [string, SchedulerPolicy][] = [
  ['priority-sort', prioritySort],
  ['scheduling-gates', schedulingGates],
  ['node-unschedulable', nodeUnschedulable],
  ['node-name', nodeName],
  ['taints', taints],
  ['node-affinity', nodeAffinity],
  ['node-ports', nodePorts],
  ['resources-fit', resourcesFit],
  ['balanced-allocation', balancedAllocation],
  ['image-locality', imageLocality],
  ['topology-spread', topologySpread],
  ['inter-pod-affinity', interPodAffinity],
  ['default-binder', defaultBinder],
];

function extensions(): Extensions<SchedulerPolicy> {
  const list: Extension<SchedulerPolicy>[] = POLICIES.map(([name, instance]) => ({ name, instance, config: {} }));
  return {
    length: list.length,
    get: (name) => list.find((extension) => extension.name === name)?.instance,
    onChange: () => undefined,
    [Symbol.iterator]: () => list[Symbol.iterator](),
  };
}

/** Informers of what never changes here: a namespace with a label, and nothing else. */
const informers = {
  get: (resource: { resource: string }) => {
    const objects: KubeObject[] = resource.resource === 'namespaces' ? [{ metadata: { name: 'default', labels: { team: 'devops' } } }] : [];
    return {
      get: (key: string) => objects.find(({ metadata }) => metadata.name === key),
      list: () => objects[Symbol.iterator](),
      byIndex: () => [],
      addIndex: () => undefined,
      on: () => () => undefined,
      synced: async () => undefined,
    } as unknown as Informer;
  },
  synced: async () => undefined,
  stop: () => undefined,
} as unknown as SharedInformers;

function node(i: number): Node {
  return {
    metadata: { name: `node-${i}`, labels: { 'kubernetes.io/hostname': `node-${i}`, 'topology.kubernetes.io/zone': `zone-${i % 3}` } },
    status: { allocatable: { cpu: '16', memory: '64Gi', pods: '110', 'ephemeral-storage': '100Gi' } },
  };
}

function pod({ labels, spec }: Case, i: number, nodes: number): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${i}`, namespace: 'default', uid: `uid-${i}`, labels: labels?.(i, nodes) ?? {} },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10', resources: { requests: { cpu: '100m', memory: '500Mi' } } }],
      ...spec?.(i, nodes),
    },
  };
}

interface Result {
  case: string;
  nodes: number;
  pods: number;
  podsPerSecond: number;
  p50Us: number;
  p99Us: number;
  maxUs: number;
  timesFloor: number;
  unscheduled: number;
}

async function measure(which: Case, nodeCount: number, podCount: number): Promise<Result> {
  const bound: Pod[] = [];
  const byName = new Map<string, Pod>();
  const client = {
    async request({ path, body }: { path: string; body?: string }) {
      if (path.endsWith('/binding') && body) {
        const target = JSON.parse(body) as { target: { name: string } };
        const wanted = byName.get(path.split('/')[6] as string) as Pod;
        bound.push({ ...wanted, spec: { ...wanted.spec, nodeName: target.target.name } });
      }
      return { code: 201, body: '{}' };
    },
    create: async () => ({}),
    patch: async () => ({}),
  } as unknown as Client;
  const quiet = () => undefined;
  const scheduler = new Scheduler(
    { seed: 1, sliceMs: 0 },
    {
      client,
      informers,
      policies: extensions(),
      log: { debug: quiet, info: quiet, warn: console.warn, error: console.error },
      signal: new AbortController().signal,
    },
  );
  for (let i = 0; i < nodeCount; i++) scheduler.cluster.putNode(node(i));
  for (let i = 0; i < podCount; i++) {
    const fresh = pod(which, i, nodeCount);
    byName.set(fresh.metadata.name as string, fresh);
    scheduler.podSeen(fresh);
  }
  const times: number[] = [];
  const start = performance.now();
  let done = 0;
  while (done < podCount) {
    const before = performance.now();
    const more = scheduler.runSlice();
    times.push((performance.now() - before) * 1000);
    if (times.length % 64 === 0 || !more) await new Promise((resolve) => setImmediate(resolve));
    for (const seen of bound.splice(0)) {
      scheduler.podSeen(seen);
      done++;
    }
    if (!more && scheduler.queue.sizes.active + scheduler.bindsInFlight === 0) break;
  }
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] as number);
  return {
    case: which.name,
    nodes: nodeCount,
    pods: podCount,
    podsPerSecond: Math.round(done / seconds),
    p50Us: at(0.5),
    p99Us: at(0.99),
    maxUs: at(1),
    timesFloor: Math.round((done / seconds / which.floor) * 10) / 10,
    unscheduled: podCount - done,
  };
}

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000,5000' },
    pods: { type: 'string', default: '5000' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
});
const results: Result[] = [];
for (const nodeCount of values.nodes.split(',').map(Number)) {
  for (const which of CASES) {
    if (values.only && !values.only.split(',').includes(which.name)) continue;
    const rounds: Result[] = [];
    for (let round = 0; round < Number(values.rounds); round++) rounds.push(await measure(which, nodeCount, Number(values.pods)));
    rounds.sort((a, b) => a.podsPerSecond - b.podsPerSecond);
    const median = rounds[Math.floor(rounds.length / 2)] as Result;
    results.push(median);
    const range = `${(rounds[0] as Result).podsPerSecond}-${(rounds.at(-1) as Result).podsPerSecond}`;
    console.log(
      `${median.case.padEnd(27)} ${String(nodeCount).padStart(5)} nodes  ${String(median.podsPerSecond).padStart(6)} pods/s (${range})  ` +
        `p50 ${median.p50Us} us  p99 ${median.p99Us} us  max ${median.maxUs} us` +
        (nodeCount === 5000 ? `  ${median.timesFloor}x upstream's floor (wanted ${which.target}x)` : '') +
        (median.unscheduled ? `  ${median.unscheduled} NOT SCHEDULED` : ''),
    );
  }
}
const folder = new URL('./results/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(
  new URL('scheduler.json', folder),
  JSON.stringify({ date: new Date().toISOString(), node: process.version, results }, null, 2),
);

import type { Node, Pod, PodAffinityTerm } from '@kubernel/sdk/api';
import { effectiveRequests, quantityMillis, quantityValue, requiredNodeAffinity, selectorOf, untolerated } from '@kubernel/sdk/api';
import { NODES, PODS } from '@kubernel/sdk/client';
import { aNode, aPod } from '@kubernel/sdk/testing';
import { afterEach, expect, it } from 'vitest';
import { TestCluster } from './cluster.ts';

const NODE_COUNT = 100;
const POD_COUNT = 1000;
let cluster: TestCluster;
afterEach(() => cluster.stop());

/** Repeatable chance. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function someNode(i: number): Node {
  return aNode(`node-${i}`, {
    labels: { zone: `z${i % 4}`, disk: i % 3 === 0 ? 'ssd' : 'hdd' },
    ...(i % 10 === 0 ? { taints: [{ key: 'dedicated', value: 'batch', effect: 'NoSchedule' as const }] } : {}),
    ...(i % 25 === 24 ? { unschedulable: true } : {}),
    allocatable: { cpu: '8', memory: '16Gi', pods: '20', ...(i % 5 === 0 ? { 'example.com/gpu': '2' } : {}) },
  });
}

function somePod(i: number, random: (below: number) => number): Pod {
  const app = `app-${random(12)}`;
  const near = (topologyKey: string): PodAffinityTerm => ({ topologyKey, labelSelector: { matchLabels: { app } } });
  const requests: Record<string, string> = { cpu: `${100 + 50 * random(10)}m`, memory: `${64 + 64 * random(8)}Mi` };
  const spec: Partial<Pod['spec']> = {};
  switch (i % 10) {
    case 0:
      spec.affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near('kubernetes.io/hostname')] } };
      break;
    case 1:
      spec.affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near('zone')] } };
      break;
    case 2:
      spec.topologySpreadConstraints = [
        { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app } } },
      ];
      break;
    case 3:
      spec.nodeSelector = { disk: 'ssd' };
      break;
    case 4:
      spec.tolerations = [{ key: 'dedicated', operator: 'Exists' }];
      break;
    case 5:
      spec.containers = [{ name: 'app', ports: [{ containerPort: 80, hostPort: 8000 + random(5) }] }];
      break;
    case 6:
      if (random(4) === 0) requests['example.com/gpu'] = '1';
      break;
  }
  return aPod(`pod-${i}`, { labels: { app }, requests, ...spec });
}

/** Everything that must be true of a placement, said in the plainest way. */
function violations(nodes: readonly Node[], placed: readonly Pod[], pods: readonly Pod[]): string[] {
  const found: string[] = [];
  const byNode = Map.groupBy(placed, ({ spec }) => spec.nodeName as string);
  const nodeOf = new Map(nodes.map((node) => [node.metadata.name, node]));
  const domain = (pod: Pod, key: string) => nodeOf.get(pod.spec.nodeName)?.metadata.labels?.[key];
  for (const [name, there] of byNode) {
    const node = nodeOf.get(name) as Node;
    const used = new Map<string, number>([['pods', there.length]]);
    const ports = new Set<string>();
    for (const pod of there) {
      for (const [resource, amount] of effectiveRequests(pod).effective) used.set(resource, (used.get(resource) ?? 0) + amount);
      for (const { hostPort } of pod.spec.containers.flatMap((container) => container.ports ?? [])) {
        if (ports.has(`${hostPort}`)) found.push(`${name} has port ${hostPort} twice`);
        ports.add(`${hostPort}`);
      }
      if (node.spec?.unschedulable) found.push(`${pod.metadata.name} is on ${name}, which is cordoned`);
      if (untolerated(node.spec?.taints ?? [], pod.spec.tolerations ?? [], ['NoSchedule']))
        found.push(`${pod.metadata.name} is on tainted ${name}`);
      if (requiredNodeAffinity(pod)?.(node) === false) found.push(`${pod.metadata.name} does not want ${name}`);
    }
    for (const [resource, amount] of used) {
      const has = node.status?.allocatable?.[resource];
      if (amount > (resource === 'cpu' ? quantityMillis(has) : quantityValue(has)))
        found.push(`${name} is over-committed: ${amount} ${resource} of ${has}`);
    }
  }
  for (const pod of placed) {
    const others = placed.filter((other) => other !== pod);
    const matching = (term: PodAffinityTerm) => others.filter((other) => selectorOf(term.labelSelector).matches(other.metadata.labels));
    for (const term of pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (matching(term).some((other) => domain(other, term.topologyKey) === domain(pod, term.topologyKey)))
        found.push(`${pod.metadata.name} has company it avoids`);
    }
  }
  if (pods.length !== new Set(pods.map(({ metadata }) => metadata.uid)).size) found.push('a pod is there twice');
  return found;
}

/** What must be true of a pod at the moment it is bound, beside those bound before it: affinity and spread look at that moment only. */
function violationsAtBinding(nodes: readonly Node[], pod: Pod, nodeName: string, before: readonly Pod[]): string[] {
  const found: string[] = [];
  const name = pod.metadata.name;
  const domainOf = (node: string | undefined, key: string) => nodes.find(({ metadata }) => metadata.name === node)?.metadata.labels?.[key];
  for (const { topologyKey, labelSelector } of pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    const company = before.filter(({ metadata }) => selectorOf(labelSelector).matches(metadata.labels));
    const here = company.some(({ spec }) => domainOf(spec.nodeName, topologyKey) === domainOf(nodeName, topologyKey));
    if (company.length && !here) found.push(`${name} went to ${nodeName}, away from the company it wants`);
  }
  for (const { topologyKey, labelSelector, maxSkew } of pod.spec.topologySpreadConstraints ?? []) {
    const counts = new Map(nodes.map(({ metadata }) => [metadata.labels?.[topologyKey], 0]));
    const placed = [
      ...before.map(({ spec, metadata }) => ({ node: spec.nodeName, labels: metadata.labels })),
      { node: nodeName, labels: pod.metadata.labels },
    ];
    for (const { node, labels } of placed) {
      const domain = domainOf(node, topologyKey);
      if (selectorOf(labelSelector).matches(labels)) counts.set(domain, (counts.get(domain) ?? 0) + 1);
    }
    const skew = (counts.get(domainOf(nodeName, topologyKey)) ?? 0) - Math.min(...counts.values());
    if (skew > maxSkew) found.push(`${name} on ${nodeName} makes a skew of ${skew}`);
  }
  return found;
}

it(`places ${POD_COUNT} pods of all kinds on ${NODE_COUNT} nodes without breaking a rule, across two restarts and deletions`, async () => {
  cluster = new TestCluster();
  const random = chance(42);
  const nodes = Array.from({ length: NODE_COUNT }, (_, i) => someNode(i));
  for (const node of nodes) cluster.addNode(node);
  const bindings = new Map<string, number>();
  const placed = () => cluster.pods().filter(({ spec }) => spec.nodeName);
  // In the order of decision: bindings are answered later.
  const decided = new Map<string, Pod>();
  const atBinding: string[] = [];
  let deleting = false;
  cluster.api.onRequest = ({ path, body }) => {
    if (!path.endsWith('/binding')) return;
    bindings.set(path, (bindings.get(path) ?? 0) + 1);
    const { target } = JSON.parse(body ?? '') as { target: { name: string } };
    const pod = cluster.pod(path.split('/')[6] as string);
    if (!deleting) atBinding.push(...violationsAtBinding(nodes, pod, target.name, [...decided.values()]));
    decided.set(pod.metadata.name as string, { ...pod, spec: { ...pod.spec, nodeName: target.name } });
  };
  let scheduler = await cluster.startScheduler();
  const settled = () => {
    const { active, backoff } = scheduler.queue.sizes;
    return active + backoff + scheduler.bindsInFlight === 0;
  };
  for (let i = 0; i < POD_COUNT; i++) {
    cluster.addPod(somePod(i, random));
    if (i === 300 || i === 600) {
      // The process dies with bindings under way, and another one takes over.
      cluster.stop();
      scheduler = await cluster.startScheduler();
    }
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await cluster.until(() => settled() && placed().length > 0.9 * POD_COUNT, 'most placed', 30_000);
  expect(violations(nodes, placed(), cluster.pods())).toEqual([]);

  // Deletions make room, and what waits takes it. (Which of them the scheduler has seen at each decision is not known here.)
  deleting = true;
  for (let i = 0; i < POD_COUNT; i += 7) {
    decided.delete(`pod-${i}`);
    cluster.api.remove(PODS, `default/pod-${i}`);
  }
  await cluster.until(() => scheduler.cluster.placedCount === placed().length && settled(), 'deletions seen', 30_000);
  deleting = false;
  for (let i = POD_COUNT; i < POD_COUNT + 200; i++) cluster.addPod(somePod(i, random));
  await cluster.until(() => cluster.pods().every((pod) => pod.spec.nodeName || pod.status?.conditions) && settled(), 'all tried', 30_000);
  expect(violations(nodes, placed(), cluster.pods())).toEqual([]);
  for (const pod of cluster.pods()) {
    if (!pod.spec.nodeName) expect(cluster.condition(pod.metadata.name as string)?.message).toMatch(/^0\/100 nodes are available: /);
  }
  // What the columns say is what the API says.
  const { requested } = scheduler.cluster.nodes;
  for (const node of cluster.api.all<Node>(NODES)) {
    const there = placed().filter(({ spec }) => spec.nodeName === node.metadata.name);
    expect(requested[3]?.[scheduler.cluster.nodes.slot(node.metadata.name as string)]).toBe(there.length);
  }
  expect(atBinding).toEqual([]);
  expect([...bindings.values()].every((count) => count === 1)).toBe(true);
});

import type { Pod, TopologySpreadConstraint } from '@kubernel/sdk/api';
import { aNode, aPod, policyBench } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { topologySpread } from './topology-spread.ts';

const SKEW = ["node(s) didn't match pod topology spread constraints"];
const NO_LABEL = ["node(s) didn't match pod topology spread constraints (missing required label)"];

const spread = (more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: 'zone',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
  ...more,
});
const web = (name: string, ...constraints: TopologySpreadConstraint[]): Pod =>
  aPod(name, { labels: { app: 'web' }, ...(constraints.length ? { topologySpreadConstraints: constraints } : {}) });

function cluster(options: { args?: Record<string, unknown>; objects?: Record<string, never[]> } = {}) {
  const nodes = [
    aNode('a1', { labels: { zone: 'a' } }),
    aNode('a2', { labels: { zone: 'a' } }),
    aNode('b1', { labels: { zone: 'b' } }),
    aNode('out'),
  ];
  return policyBench(topologySpread, { nodes, args: options.args ?? {}, objects: options.objects ?? {} });
}

describe('a hard constraint', () => {
  it('keeps the domains within maxSkew of the emptiest, and off nodes without the label', () => {
    const bench = cluster();
    bench.place(web('x'), 'a1');
    expect(bench.filter(web('p', spread()))).toEqual({ a1: SKEW, a2: SKEW, b1: [], out: NO_LABEL });
    expect(bench.filter(web('p', spread({ maxSkew: 2 })))).toEqual({ a1: [], a2: [], b1: [], out: NO_LABEL });
    expect(bench.verdicts(web('p', spread()))).toEqual({ a1: 1, a2: 1, b1: 0, out: 2 });
  });

  it('does not count a newcomer that its own selector leaves out', () => {
    const bench = cluster();
    bench.place(web('x'), 'a1');
    expect(bench.filter(aPod('p', { topologySpreadConstraints: [spread()] }))).toMatchObject({ a1: [] });
  });

  it('counts neither other namespaces, nor pods on their way out', () => {
    const bench = cluster();
    const stranger = web('x');
    bench.place({ ...stranger, metadata: { ...stranger.metadata, namespace: 'other' } }, 'a1');
    const leaving = web('y');
    bench.place({ ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'a1');
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: [] });
  });

  it('must hold together with the others', () => {
    const bench = cluster();
    bench.place(web('x'), 'a1');
    bench.place(web('y'), 'b1');
    const both = web('p', spread(), spread({ topologyKey: 'kubernetes.io/hostname' }));
    expect(bench.filter(both)).toEqual({ a1: SKEW, a2: [], b1: SKEW, out: NO_LABEL });
  });

  it('wants at least minDomains: while there are fewer, the emptiest counts as having none', () => {
    const bench = cluster();
    bench.place(web('x'), 'a1');
    bench.place(web('y'), 'b1');
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: [], b1: [] });
    expect(bench.filter(web('p', spread({ minDomains: 3 })))).toMatchObject({ a1: SKEW, b1: SKEW });
  });

  it('leaves out nodes that the pod cannot use, unless told otherwise', () => {
    const bench = cluster();
    bench.cluster.putNode(aNode('c1', { labels: { zone: 'c' } }));
    bench.place(web('x'), 'a1');
    bench.place(web('y'), 'b1');
    const picky = (more: Partial<TopologySpreadConstraint>): Pod => ({
      ...web('p'),
      spec: {
        ...web('p', spread(more)).spec,
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }],
            },
          },
        },
      },
    });
    // Zone c is empty, but not for this pod.
    expect(bench.filter(picky({}))).toMatchObject({ a1: [], b1: [] });
    expect(bench.filter(picky({ nodeAffinityPolicy: 'Ignore' }))).toMatchObject({ a1: SKEW, b1: SKEW });
  });

  it('leaves out tainted nodes only when told to', () => {
    const bench = cluster();
    bench.cluster.putNode(aNode('c1', { labels: { zone: 'c' }, taints: [{ key: 'x', effect: 'NoSchedule' }] }));
    bench.place(web('x'), 'a1');
    bench.place(web('y'), 'b1');
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: SKEW });
    expect(bench.filter(web('p', spread({ nodeTaintsPolicy: 'Honor' })))).toMatchObject({ a1: [] });
  });

  it('compares only pods of the same revision with matchLabelKeys', () => {
    const bench = cluster();
    const revision = (name: string, hash: string, ...constraints: TopologySpreadConstraint[]): Pod => {
      const pod = web(name, ...constraints);
      return { ...pod, metadata: { ...pod.metadata, labels: { app: 'web', hash } } };
    };
    bench.place(revision('old', '1'), 'a1');
    expect(bench.filter(revision('p', '2', spread({ matchLabelKeys: ['hash'] })))).toMatchObject({ a1: [] });
    bench.place(revision('new', '2'), 'a1');
    expect(bench.filter(revision('p', '2', spread({ matchLabelKeys: ['hash'] })))).toMatchObject({ a1: SKEW });
  });

  it('follows nodes that come, go and change', () => {
    const bench = cluster();
    bench.place(web('x'), 'a1');
    bench.place(web('y'), 'b1');
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: [] });
    bench.cluster.putNode(aNode('c1', { labels: { zone: 'c' } }));
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: SKEW, c1: [] });
    bench.cluster.putNode(aNode('c1', { labels: { zone: 'b' } }));
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: [] });
    bench.cluster.putNode(aNode('c1', { labels: { zone: 'c' } }));
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: SKEW });
    bench.cluster.removeNode('c1');
    expect(bench.filter(web('p', spread()))).toMatchObject({ a1: [] });
  });
});

describe('a soft constraint', () => {
  it('prefers the emptier domain', () => {
    const bench = cluster();
    for (const [name, node] of [
      ['x', 'a1'],
      ['y', 'a1'],
      ['z', 'b1'],
    ] as const)
      bench.place(web(name), node);
    // Two domains: 2 and 1 pods times ln(4), rounded: 3 and 1. Then 100 * (3 + 1 - score) / 3.
    expect(bench.score(web('p', spread({ whenUnsatisfiable: 'ScheduleAnyway' })))).toEqual({ a1: 33, a2: 33, b1: 100, out: 0 });
  });

  it('counts hosts one by one', () => {
    const bench = cluster();
    bench.place(web('x'), 'a1');
    const soft = spread({ whenUnsatisfiable: 'ScheduleAnyway', topologyKey: 'kubernetes.io/hostname' });
    expect(bench.score(web('p', soft))).toEqual({ a1: 0, a2: 100, b1: 100, out: 100 });
  });

  it('is nothing to a pod without constraints that nothing selects', () => {
    expect(cluster().score(web('p'))).toBe('skip');
  });
});

describe('the defaults of the cluster', () => {
  const service = { metadata: { namespace: 'default', name: 's' }, spec: { selector: { app: 'web' } } };
  const nodes = [aNode('a'), aNode('b')];

  it('spread the pods of a service over hosts', () => {
    const bench = policyBench(topologySpread, { nodes, objects: { services: [service] } });
    bench.place(web('x'), 'a');
    const score = bench.score(web('p')) as Record<string, number>;
    expect(score['b']).toBeGreaterThan(score['a'] as number);
  });

  it('spread the pods of a replica set over hosts', () => {
    const set = { metadata: { namespace: 'default', name: 'r' }, spec: { selector: { matchLabels: { app: 'web' } } } };
    const bench = policyBench(topologySpread, { nodes, objects: { replicasets: [set] } });
    bench.place(web('x'), 'a');
    const owned = web('p');
    owned.metadata.ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }];
    const score = bench.score(owned) as Record<string, number>;
    expect(score['b']).toBeGreaterThan(score['a'] as number);
    expect(bench.score(web('q'))).toBe('skip');
  });

  it("can be a list of one's own, hard ones too", () => {
    const args = {
      defaultingType: 'List',
      defaultConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' }],
    };
    const bench = policyBench(topologySpread, { nodes, args, objects: { services: [service] } });
    bench.place(web('x'), 'a');
    expect(bench.filter(web('p'))).toEqual({ a: SKEW, b: [] });
  });
});

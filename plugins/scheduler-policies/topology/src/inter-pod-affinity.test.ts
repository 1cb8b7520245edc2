import type { KubeObject, Pod, PodAffinityTerm } from '@kubernel/sdk/api';
import { aNode, aPod, policyBench } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { interPodAffinity } from './inter-pod-affinity.ts';

const AFFINITY = ["node(s) didn't match pod affinity rules"];
const ANTI = ["node(s) didn't match pod anti-affinity rules"];
const EXISTING = ["node(s) didn't satisfy existing pods anti-affinity rules"];

const near = (labels: Record<string, string>, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: 'zone',
  labelSelector: { matchLabels: labels },
  ...more,
});
const wants = (...terms: PodAffinityTerm[]): Partial<Pod['spec']> => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const avoids = (...terms: PodAffinityTerm[]): Partial<Pod['spec']> => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const inNamespace = (namespace: string, pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, namespace } });

/** Two zones of two nodes, and one node outside of any. */
function cluster(options: { args?: Record<string, unknown>; namespaces?: KubeObject[] } = {}) {
  const nodes = [
    aNode('a1', { labels: { zone: 'a' } }),
    aNode('a2', { labels: { zone: 'a' } }),
    aNode('b1', { labels: { zone: 'b' } }),
    aNode('b2', { labels: { zone: 'b' } }),
    aNode('out'),
  ];
  return policyBench(interPodAffinity, { nodes, args: options.args ?? {}, objects: { namespaces: options.namespaces ?? [] } });
}

describe('required affinity', () => {
  it('takes the zone of a pod that matches, and no node without the label', () => {
    const bench = cluster();
    bench.place(aPod('db', { labels: { app: 'db' } }), 'a1');
    expect(bench.filter(aPod('p', wants(near({ app: 'db' }))))).toEqual({ a1: [], a2: [], b1: AFFINITY, b2: AFFINITY, out: AFFINITY });
  });

  it('is beyond help by preemption', () => {
    expect(cluster().verdicts(aPod('p', wants(near({ app: 'db' }))))).toMatchObject({ a1: 2 });
  });

  it('lets the first of its kind start anywhere that has the label', () => {
    const bench = cluster();
    const pod = aPod('p', { labels: { app: 'db' }, ...wants(near({ app: 'db' })) });
    expect(bench.filter(pod)).toEqual({ a1: [], a2: [], b1: [], b2: [], out: AFFINITY });
    bench.place(pod, 'b1');
    expect(bench.filter(aPod('q', { labels: { app: 'db' }, ...wants(near({ app: 'db' })) }))).toMatchObject({ a1: AFFINITY, b2: [] });
  });

  it('counts only pods that match all terms', () => {
    const bench = cluster();
    bench.place(aPod('x', { labels: { app: 'db' } }), 'a1');
    bench.place(aPod('y', { labels: { app: 'db', tier: 'gold' } }), 'b1');
    expect(bench.filter(aPod('p', wants(near({ app: 'db' }), near({ tier: 'gold' }))))).toMatchObject({ a1: AFFINITY, b1: [], b2: [] });
  });

  it('forgets pods that went', () => {
    const bench = cluster();
    const db = aPod('db', { labels: { app: 'db' } });
    bench.place(db, 'a1');
    expect(bench.filter(aPod('p', wants(near({ app: 'db' }))))).toMatchObject({ a2: [] });
    bench.remove(db);
    expect(bench.filter(aPod('p', wants(near({ app: 'db' }))))).toMatchObject({ a2: AFFINITY });
  });

  it('follows a node into another zone', () => {
    const bench = cluster();
    bench.place(aPod('db', { labels: { app: 'db' } }), 'a1');
    const pod = aPod('p', wants(near({ app: 'db' })));
    expect(bench.filter(pod)).toMatchObject({ a2: [], b1: AFFINITY });
    bench.cluster.putNode(aNode('a1', { labels: { zone: 'b' } }));
    expect(bench.filter(pod)).toMatchObject({ a1: [], a2: AFFINITY, b1: [] });
  });
});

describe('required anti-affinity', () => {
  it('avoids the zone of a pod that matches; preemption may help', () => {
    const bench = cluster();
    bench.place(aPod('db', { labels: { app: 'db' } }), 'a1');
    const pod = aPod('p', avoids(near({ app: 'db' })));
    expect(bench.filter(pod)).toEqual({ a1: ANTI, a2: ANTI, b1: [], b2: [], out: [] });
    expect(bench.verdicts(pod)).toMatchObject({ a1: 1 });
  });

  it('is respected for pods that are there already', () => {
    const bench = cluster();
    bench.place(aPod('shy', avoids(near({ app: 'web' }))), 'a1');
    expect(bench.filter(aPod('p', { labels: { app: 'web' } }))).toEqual({ a1: EXISTING, a2: EXISTING, b1: [], b2: [], out: [] });
    expect(bench.filter(aPod('p', { labels: { app: 'other' } }))).toMatchObject({ a1: [] });
  });

  it('counts each of several carriers', () => {
    const bench = cluster();
    const [first, second] = [aPod('s1', avoids(near({ app: 'web' }))), aPod('s2', avoids(near({ app: 'web' })))];
    bench.place(first, 'a1');
    bench.place(second, 'a2');
    bench.remove(first);
    expect(bench.filter(aPod('p', { labels: { app: 'web' } }))).toMatchObject({ a1: EXISTING });
    bench.remove(second);
    expect(bench.filter(aPod('p', { labels: { app: 'web' } }))).toMatchObject({ a1: [] });
  });

  it.each<[string, PodAffinityTerm['labelSelector'], string[]]>([
    ['In', { matchExpressions: [{ key: 'app', operator: 'In', values: ['x', 'web'] }] }, ANTI],
    ['NotIn', { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, []],
    ['Exists', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, ANTI],
    ['DoesNotExist', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, []],
    ['an empty selector selects every pod', {}, ANTI],
    ['no selector selects none', undefined, []],
  ])('%s', (_, labelSelector, reasons) => {
    const bench = cluster();
    bench.place(aPod('web', { labels: { app: 'web' } }), 'a1');
    expect(bench.filter(aPod('p', avoids({ topologyKey: 'zone', labelSelector })))).toMatchObject({ a1: reasons });
  });
});

describe('namespaces of a term', () => {
  const namespaces = [
    { metadata: { name: 'default', labels: {} } },
    { metadata: { name: 'blue', labels: { team: 'blue' } } },
    { metadata: { name: 'red', labels: { team: 'red' } } },
  ];
  it.each<[string, Partial<PodAffinityTerm>, string, string[]]>([
    ['by default the own one', {}, 'default', ANTI],
    ['and no other', {}, 'blue', []],
    ['those listed', { namespaces: ['blue'] }, 'blue', ANTI],
    ['then not the own one', { namespaces: ['blue'] }, 'default', []],
    ['those selected', { namespaceSelector: { matchLabels: { team: 'blue' } } }, 'blue', ANTI],
    ['not those that are not', { namespaceSelector: { matchLabels: { team: 'blue' } } }, 'red', []],
    ['listed or selected', { namespaces: ['red'], namespaceSelector: { matchLabels: { team: 'blue' } } }, 'red', ANTI],
    ['an empty selector: all', { namespaceSelector: {} }, 'red', ANTI],
  ])('%s', (_, term, namespace, reasons) => {
    const bench = cluster({ namespaces });
    bench.place(inNamespace(namespace, aPod('web', { labels: { app: 'web' } })), 'a1');
    expect(bench.filter(aPod('p', avoids(near({ app: 'web' }, term))))).toMatchObject({ a1: reasons });
    // The same from the other side.
    const mirrored = cluster({ namespaces });
    mirrored.place(aPod('shy', avoids(near({ app: 'web' }, term))), 'a1');
    const found = mirrored.filter(inNamespace(namespace, aPod('p', { labels: { app: 'web' } })));
    expect(found).toMatchObject({ a1: reasons.length ? EXISTING : [] });
  });
});

describe('matchLabelKeys and mismatchLabelKeys', () => {
  const version = (name: string, hash: string, more: Partial<Pod['spec']> = {}) => aPod(name, { labels: { app: 'web', hash }, ...more });
  it('compare other pods with the pod itself', () => {
    const bench = cluster();
    bench.place(version('old', '1'), 'a1');
    bench.place(version('new', '2'), 'b1');
    expect(bench.filter(version('p', '2', avoids(near({ app: 'web' }, { matchLabelKeys: ['hash'] }))))).toMatchObject({ a1: [], b1: ANTI });
    expect(bench.filter(version('p', '2', avoids(near({ app: 'web' }, { mismatchLabelKeys: ['hash'] }))))).toMatchObject({
      a1: ANTI,
      b1: [],
    });
  });
});

describe('preferred affinity', () => {
  const prefers = (weight: number, term: PodAffinityTerm): Partial<Pod['spec']> => ({
    affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term }] } },
  });
  const dislikes = (weight: number, term: PodAffinityTerm): Partial<Pod['spec']> => ({
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term }] } },
  });

  it('counts each pod that matches, in each zone', () => {
    const bench = cluster();
    bench.place(aPod('w1', { labels: { app: 'web' } }), 'a1');
    bench.place(aPod('w2', { labels: { app: 'web' } }), 'a2');
    bench.place(aPod('w3', { labels: { app: 'web' } }), 'b1');
    expect(bench.score(aPod('p', prefers(5, near({ app: 'web' }))))).toEqual({ a1: 100, a2: 100, b1: 50, b2: 50, out: 0 });
    expect(bench.score(aPod('p', dislikes(5, near({ app: 'web' }))))).toEqual({ a1: 0, a2: 0, b1: 50, b2: 50, out: 100 });
  });

  it('hears what pods that are there prefer', () => {
    const bench = cluster();
    bench.place(aPod('fan', prefers(3, near({ app: 'web' }))), 'a1');
    bench.place(aPod('foe', dislikes(3, near({ app: 'web' }))), 'b1');
    expect(bench.score(aPod('p', { labels: { app: 'web' } }))).toEqual({ a1: 100, a2: 100, b1: 0, b2: 0, out: 50 });
    expect(bench.score(aPod('p', { labels: { app: 'other' } }))).toBe('skip');
  });

  it('counts their required affinity too, by the weight configured', () => {
    const place = (args: Record<string, unknown>) => {
      const bench = cluster({ args });
      bench.place(aPod('needs', wants(near({ app: 'web' }))), 'a1');
      return bench.score(aPod('p', { labels: { app: 'web' } }));
    };
    expect(place({})).toMatchObject({ a1: 100, b1: 0 });
    expect(place({ hardPodAffinityWeight: 0 })).toBe('skip');
  });

  it('can be told not to listen', () => {
    const bench = cluster({ args: { ignorePreferredTermsOfExistingPods: true } });
    bench.place(aPod('fan', prefers(3, near({ app: 'web' }))), 'a1');
    expect(bench.score(aPod('p', { labels: { app: 'web' } }))).toBe('skip');
  });
});

it('counts as a walk over all pods would, whatever comes and goes', () => {
  const bench = cluster();
  const there = new Map<string, [Pod, string]>();
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const names = ['a1', 'a2', 'b1', 'b2', 'out'];
  for (let step = 0; step < 300; step++) {
    const name = `p${random(20)}`;
    const known = there.get(name);
    if (known) {
      bench.remove(known[0]);
      there.delete(name);
    } else {
      const app = ['web', 'db'][random(2)] as string;
      const shape =
        [{}, avoids(near({ app: 'web' })), avoids(near({ app: 'db' }, { topologyKey: 'kubernetes.io/hostname' }))][random(3)] ?? {};
      const pod = aPod(name, { labels: { app }, ...shape });
      const node = names[random(5)] as string;
      bench.place(pod, node);
      there.set(name, [pod, node]);
    }
    const asked = aPod('q', { labels: { app: 'web' }, ...avoids(near({ app: 'db' })) });
    const fresh = cluster();
    for (const [pod, node] of there.values()) fresh.place(pod, node);
    expect(bench.filter(asked)).toEqual(fresh.filter(asked));
  }
});

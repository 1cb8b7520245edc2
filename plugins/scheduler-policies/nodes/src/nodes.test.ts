import type { Pod } from '@kubernel/sdk/api';
import { aNode, aPod, policyBench } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { imageLocality } from './image-locality.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { taints } from './taints.ts';

const UNTOLERATED = ['node(s) had untolerated taint(s)'];
const NO_MATCH = ["node(s) didn't match Pod's node affinity/selector"];
const NO_PORT = ["node(s) didn't have free ports for the requested pod ports"];

describe('node-name', () => {
  it('keeps a pod that names its node away from the others', () => {
    const bench = policyBench(nodeName, { nodes: [aNode('a'), aNode('b')] });
    expect(bench.filter(aPod('p', { nodeName: 'b' }))).toEqual({ a: ["node(s) didn't match the requested node name"], b: [] });
    expect(bench.filter(aPod('p'))).toEqual({ a: [], b: [] });
  });
});

describe('node-unschedulable', () => {
  it('keeps pods away from cordoned nodes, until they are uncordoned', () => {
    const bench = policyBench(nodeUnschedulable, { nodes: [aNode('a', { unschedulable: true })] });
    expect(bench.filter(aPod('p'))).toEqual({ a: ['node(s) were unschedulable'] });
    bench.cluster.putNode(aNode('a'));
    expect(bench.filter(aPod('p'))).toEqual({ a: [] });
  });

  it('lets pods through that tolerate the taint of cordoned nodes', () => {
    const bench = policyBench(nodeUnschedulable, { nodes: [aNode('a', { unschedulable: true })] });
    const tolerations = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }];
    expect(bench.filter(aPod('p', { tolerations }))).toEqual({ a: [] });
  });
});

describe('taints', () => {
  const gpu = { key: 'gpu', value: 'yes', effect: 'NoSchedule' as const };

  it.each([
    ['no toleration', [], UNTOLERATED],
    ['the same key and value', [{ key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' }], []],
    ['Equal where no operator is given', [{ key: 'gpu', value: 'yes' }], []],
    ['another value', [{ key: 'gpu', operator: 'Equal', value: 'no' }], UNTOLERATED],
    ['a key that exists', [{ key: 'gpu', operator: 'Exists' }], []],
    ['another effect', [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }], UNTOLERATED],
    ['everything', [{ operator: 'Exists' }], []],
    ['an unknown operator', [{ key: 'gpu', operator: 'Like', value: 'yes' }], UNTOLERATED],
  ])('%s', (_, tolerations, reasons) => {
    expect(policyBench(taints, { nodes: [aNode('n', { taints: [gpu] })] }).filter(aPod('p', { tolerations }))).toEqual({ n: reasons });
  });

  it.each([
    ['5', 'Gt', '4', []],
    ['4', 'Gt', '4', UNTOLERATED],
    ['3', 'Lt', '4', []],
    ['many', 'Gt', '4', UNTOLERATED],
  ])('a taint of %s is tolerated by %s %s: %o', (value, operator, bound, reasons) => {
    const bench = policyBench(taints, { nodes: [aNode('n', { taints: [{ key: 'level', value, effect: 'NoSchedule' }] })] });
    expect(bench.filter(aPod('p', { tolerations: [{ key: 'level', operator, value: bound }] }))).toEqual({ n: reasons });
  });

  it('keeps out for NoExecute as for NoSchedule, and not for PreferNoSchedule', () => {
    const bench = policyBench(taints, {
      nodes: [
        aNode('evicts', { taints: [{ key: 'x', effect: 'NoExecute' }] }),
        aNode('soft', { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] }),
      ],
    });
    expect(bench.filter(aPod('p'))).toEqual({ evicts: UNTOLERATED, soft: [] });
  });

  it('prefers nodes with fewer soft taints that are not tolerated', () => {
    const soft = (key: string) => ({ key, effect: 'PreferNoSchedule' as const });
    const bench = policyBench(taints, {
      nodes: [aNode('none'), aNode('one', { taints: [soft('a')] }), aNode('two', { taints: [soft('a'), soft('b')] })],
    });
    expect(bench.score(aPod('p'))).toEqual({ none: 100, one: 50, two: 0 });
    expect(bench.score(aPod('p', { tolerations: [{ key: 'a', operator: 'Exists' }] }))).toEqual({ none: 100, one: 100, two: 0 });
    // A toleration of another effect is not about soft taints.
    expect(bench.score(aPod('p', { tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }] }))).toEqual({ none: 100, one: 50, two: 0 });
  });

  it('follows the taints of a node', () => {
    const bench = policyBench(taints, { nodes: [aNode('n')] });
    expect(bench.filter(aPod('p'))).toEqual({ n: [] });
    bench.cluster.putNode(aNode('n', { taints: [gpu] }));
    expect(bench.filter(aPod('p'))).toEqual({ n: UNTOLERATED });
  });
});

describe('node-affinity', () => {
  const nodes = [aNode('a', { labels: { disk: 'ssd', level: '5' } }), aNode('b', { labels: { disk: 'hdd', level: '3' } }), aNode('c')];
  const required = (...nodeSelectorTerms: object[]): Partial<Pod['spec']> => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });

  it.each<[string, Partial<Pod['spec']>, string[]]>([
    ['nodeSelector', { nodeSelector: { disk: 'ssd' } }, ['a']],
    ['In', required(expression('disk', 'In', 'ssd', 'hdd')), ['a', 'b']],
    ['NotIn also takes nodes without the label', required(expression('disk', 'NotIn', 'ssd')), ['b', 'c']],
    ['Exists', required(expression('disk', 'Exists')), ['a', 'b']],
    ['DoesNotExist', required(expression('disk', 'DoesNotExist')), ['c']],
    ['Gt', required(expression('level', 'Gt', '4')), ['a']],
    ['Lt', required(expression('level', 'Lt', '4')), ['b']],
    ['Gt of what is no number selects nothing', required(expression('disk', 'Gt', '4')), []],
    ['an unknown operator selects nothing', required(expression('disk', 'Like', 's')), []],
    ['terms are alternatives', required(expression('disk', 'In', 'ssd'), expression('disk', 'DoesNotExist')), ['a', 'c']],
    ['a term without requirements selects nothing', required({}), []],
    ['no terms select nothing', required(), []],
    [
      'requirements of a term all hold',
      required({
        matchExpressions: [
          { key: 'disk', operator: 'Exists' },
          { key: 'level', operator: 'Lt', values: ['4'] },
        ],
      }),
      ['b'],
    ],
    ['nodeSelector and affinity both hold', { nodeSelector: { disk: 'ssd' }, ...required(expression('level', 'Lt', '4')) }, []],
    ['names by field', required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b', 'gone'] }] }), ['b']],
    ['other than names by field', required({ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['b'] }] }), ['a', 'c']],
  ])('%s', (_, spec, fitting) => {
    const found = policyBench(nodeAffinity, { nodes }).verdicts(aPod('p', spec));
    expect(Object.keys(found).filter((name) => found[name] === 0)).toEqual(fitting);
  });

  it('says why, and follows the labels of a node', () => {
    const bench = policyBench(nodeAffinity, { nodes: [aNode('a')] });
    const pod = aPod('p', { nodeSelector: { disk: 'ssd' } });
    expect(bench.filter(pod)).toEqual({ a: NO_MATCH });
    bench.cluster.putNode(aNode('a', { labels: { disk: 'ssd' } }));
    expect(bench.filter(pod)).toEqual({ a: [] });
  });

  it('refuses a pod whose terms can name no node', () => {
    const pod = aPod('p', required({ matchFields: ['a', 'b'].map((name) => ({ key: 'metadata.name', operator: 'In', values: [name] })) }));
    expect(policyBench(nodeAffinity, { nodes }).filter(pod)).toMatchObject({ a: ['pod affinity terms conflict'] });
  });

  it('adds the affinity of the profile to that of every pod', () => {
    const args = { addedAffinity: required(expression('disk', 'In', 'ssd')).affinity?.nodeAffinity };
    const bench = policyBench(nodeAffinity, { nodes: [aNode('a', { labels: { disk: 'ssd' } }), aNode('b')], args });
    expect(bench.filter(aPod('p'))).toEqual({ a: [], b: ["node(s) didn't match scheduler-enforced node affinity"] });
    expect(bench.filter(aPod('p', { nodeSelector: { x: 'y' } }))).toMatchObject({ a: NO_MATCH });
  });

  it('prefers nodes by the sum of weights, stretched to 100', () => {
    const preferred = [
      { weight: 30, preference: expression('disk', 'Exists') },
      { weight: 10, preference: expression('disk', 'In', 'hdd') },
    ];
    const pod = aPod('p', { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } });
    const bench = policyBench(nodeAffinity, { nodes });
    expect(bench.score(pod)).toEqual({ a: 75, b: 100, c: 0 });
    expect(bench.score(aPod('p'))).toBe('skip');
  });
});

describe('node-ports', () => {
  const withPort = (name: string, hostPort: number, more: { hostIP?: string; protocol?: 'TCP' | 'UDP' } = {}) =>
    aPod(name, { containers: [{ name: 'app', ports: [{ containerPort: 80, hostPort, ...more }] }] });

  it.each<[string, Pod, Pod, string[]]>([
    ['the same port', withPort('a', 80), withPort('b', 80), NO_PORT],
    ['another port', withPort('a', 80), withPort('b', 81), []],
    ['another protocol', withPort('a', 80), withPort('b', 80, { protocol: 'UDP' }), []],
    ['two addresses', withPort('a', 80, { hostIP: '10.0.0.1' }), withPort('b', 80, { hostIP: '10.0.0.2' }), []],
    ['one address twice', withPort('a', 80, { hostIP: '10.0.0.1' }), withPort('b', 80, { hostIP: '10.0.0.1' }), NO_PORT],
    ['all addresses, then one', withPort('a', 80), withPort('b', 80, { hostIP: '10.0.0.1' }), NO_PORT],
    ['one address, then all', withPort('a', 80, { hostIP: '10.0.0.1' }), withPort('b', 80, { hostIP: '0.0.0.0' }), NO_PORT],
  ])('%s', (_, there, newcomer, reasons) => {
    const bench = policyBench(nodePorts, { nodes: [aNode('n'), aNode('free')] });
    bench.place(there, 'n');
    expect(bench.filter(newcomer)).toEqual({ n: reasons, free: [] });
    bench.remove(there);
    expect(bench.filter(newcomer)).toEqual({ n: [], free: [] });
  });

  it('counts the ports of sidecars, and of pods that were there before the policy', () => {
    const bench = policyBench(nodePorts, { nodes: [aNode('n')] });
    const sidecar = { name: 's', restartPolicy: 'Always' as const, ports: [{ containerPort: 80, hostPort: 80 }] };
    bench.place(aPod('a', { initContainers: [sidecar] }), 'n');
    expect(bench.filter(withPort('b', 80))).toEqual({ n: NO_PORT });
  });
});

describe('image-locality', () => {
  const MB = 1024 * 1024;
  const image = (name: string, sizeMB: number) => ({ names: [name], sizeBytes: sizeMB * MB });

  it('prefers nodes that hold the image, the less the fewer hold it', () => {
    const bench = policyBench(imageLocality, { nodes: [aNode('has', { images: [image('app:latest', 1000)] }), aNode('lacks')] });
    // Half of the nodes have it: 500 MB count, over 23 MB and up to 1000 MB.
    expect(bench.score(aPod('p'))).toEqual({ has: 48, lacks: 0 });
    bench.cluster.putNode(aNode('lacks', { images: [image('app:latest', 1000)] }));
    expect(bench.score(aPod('p'))).toEqual({ has: 100, lacks: 100 });
  });

  it('says nothing when no node has the image', () => {
    expect(policyBench(imageLocality, { nodes: [aNode('a')] }).score(aPod('p'))).toBe('skip');
  });
});

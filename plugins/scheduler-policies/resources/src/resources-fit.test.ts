import { aNode, aPod, type NodeShape, policyBench } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { resourcesFit } from './resources-fit.ts';

const small: NodeShape = { allocatable: { cpu: '1', memory: '1Gi', pods: '2' } };
const always = 'Always' as const;

describe('the room a node has', () => {
  it.each([
    ['what is free exactly fits', { requests: { cpu: '1', memory: '1Gi' } }, []],
    ['one thousandth of a core too much does not', { requests: { cpu: '1001m' } }, ['Insufficient cpu']],
    ['all that lacks is told', { requests: { cpu: '2', memory: '2Gi' } }, ['Insufficient cpu', 'Insufficient memory']],
    ['an extended resource the node does not have', { requests: { 'example.com/gpu': '1' } }, ['Insufficient example.com/gpu']],
    ['a request of zero of what the node does not have', { requests: { 'example.com/gpu': '0' } }, []],
    ['ephemeral storage', { requests: { 'ephemeral-storage': '1Gi' } }, ['Insufficient ephemeral-storage']],
    ['overhead comes on top', { requests: { cpu: '600m' }, overhead: { cpu: '500m' } }, ['Insufficient cpu']],
    [
      'the largest init container counts when it is larger than the containers together',
      { requests: { cpu: '100m' }, initContainers: [{ name: 'i', resources: { requests: { cpu: '1200m' } } }] },
      ['Insufficient cpu'],
    ],
    [
      'init containers run one after the other',
      { requests: { cpu: '100m' }, initContainers: ['a', 'b'].map((name) => ({ name, resources: { requests: { cpu: '900m' } } })) },
      [],
    ],
    [
      'a sidecar runs beside the containers',
      { requests: { cpu: '600m' }, initContainers: [{ name: 's', restartPolicy: always, resources: { requests: { cpu: '500m' } } }] },
      ['Insufficient cpu'],
    ],
    [
      'an init container runs beside the sidecars started before it',
      {
        requests: { cpu: '100m' },
        initContainers: [
          { name: 's', restartPolicy: always, resources: { requests: { cpu: '500m' } } },
          { name: 'i', resources: { requests: { cpu: '600m' } } },
        ],
      },
      ['Insufficient cpu'],
    ],
    [
      'but not beside those started after it',
      {
        requests: { cpu: '100m' },
        initContainers: [
          { name: 'i', resources: { requests: { cpu: '600m' } } },
          { name: 's', restartPolicy: always, resources: { requests: { cpu: '500m' } } },
        ],
      },
      [],
    ],
    [
      'pod-level requests replace the sum of the containers',
      { requests: { cpu: '100m' }, resources: { requests: { cpu: '2' } } },
      ['Insufficient cpu'],
    ],
  ])('%s', (_, spec, reasons) => {
    expect(policyBench(resourcesFit, { nodes: [aNode('n', small)] }).filter(aPod('p', spec))).toEqual({ n: reasons });
  });

  it('counts pods, even those that ask for nothing', () => {
    const bench = policyBench(resourcesFit, { nodes: [aNode('n', small)] });
    bench.place(aPod('a'), 'n');
    expect(bench.filter(aPod('p'))).toEqual({ n: [] });
    bench.place(aPod('b'), 'n');
    expect(bench.filter(aPod('p'))).toEqual({ n: ['Too many pods'] });
    bench.remove(aPod('a'));
    expect(bench.filter(aPod('p'))).toEqual({ n: [] });
  });

  it('tells what removing pods could free from what the node will never have', () => {
    const bench = policyBench(resourcesFit, { nodes: [aNode('n', small)] });
    bench.place(aPod('a', { requests: { cpu: '800m' } }), 'n');
    expect(bench.verdicts(aPod('p', { requests: { cpu: '500m' } }))).toEqual({ n: 1 });
    expect(bench.verdicts(aPod('p', { requests: { cpu: '500m', memory: '2Gi' } }))).toEqual({ n: 2 });
  });

  it('counts the larger of spec, allocation and use while a container is resized, unless the resize is infeasible', () => {
    const bench = policyBench(resourcesFit, { nodes: [aNode('n', small)] });
    const resized = aPod('a', { requests: { cpu: '900m' } });
    const running = { containerStatuses: [{ name: 'app', ready: true, restartCount: 0, allocatedResources: { cpu: '400m' } }] };
    bench.place({ ...resized, status: running }, 'n');
    expect(bench.filter(aPod('p', { requests: { cpu: '200m' } }))).toEqual({ n: ['Insufficient cpu'] });
    bench.place(
      { ...resized, status: { ...running, conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }] } },
      'n',
    );
    expect(bench.filter(aPod('p', { requests: { cpu: '600m' } }))).toEqual({ n: [] });
  });

  it('leaves out resources it is told to ignore', () => {
    const args = { ignoredResources: ['example.com/a'], ignoredResourceGroups: ['vendor.io'] };
    const bench = policyBench(resourcesFit, { nodes: [aNode('n')], args });
    expect(bench.filter(aPod('p', { requests: { 'example.com/a': '1', 'vendor.io/b': '1', 'example.com/c': '1' } }))).toEqual({
      n: ['Insufficient example.com/c'],
    });
  });

  it('wakes a waiting pod only when it has room on the node that changed', () => {
    const bench = policyBench(resourcesFit, { nodes: [aNode('n', small)] });
    bench.place(aPod('a', { requests: { cpu: '800m' } }), 'n');
    const waiting = bench.info(aPod('p', { requests: { cpu: '500m' } }));
    const [gone] = bench.instance.events ?? [];
    expect(gone?.hint?.(waiting, { events: gone.events, node: 0 })).toBe(false);
    bench.remove(aPod('a'));
    expect(gone?.hint?.(waiting, { events: gone.events, node: 0 })).toBe(true);
  });
});

describe('how full a node is', () => {
  const nodes = [aNode('empty'), aNode('half'), aNode('full')];
  function bench(args?: Record<string, unknown>) {
    const made = policyBench(resourcesFit, { nodes, ...(args ? { args } : {}) });
    made.place(aPod('h', { requests: { cpu: '2', memory: '4Gi' } }), 'half');
    made.place(aPod('f', { requests: { cpu: '4', memory: '8Gi' } }), 'full');
    return made;
  }

  it('prefers empty nodes by default', () => {
    // (1 - 1/4) and (1 - 2/8): 75 each on the empty node; (1 - 3/4) and (1 - 6/8): 25 on the half full one.
    expect(bench().score(aPod('p', { requests: { cpu: '1', memory: '2Gi' } }))).toEqual({ empty: 75, half: 25, full: 0 });
  });

  it('counts 100m and 200 MiB for a container that asks for nothing', () => {
    // cpu: 3900/4000 free is 97; memory: 7992/8192 free is 97.
    expect(bench().score(aPod('p'))).toEqual({ empty: 97, half: 47, full: 0 });
  });

  it('prefers full nodes when told to', () => {
    const most = bench({ scoringStrategy: { type: 'MostAllocated' } });
    expect(most.score(aPod('p', { requests: { cpu: '1', memory: '2Gi' } }))).toEqual({ empty: 25, half: 75, full: 100 });
  });

  it('weighs resources', () => {
    const cpuOnly = bench({
      scoringStrategy: {
        type: 'LeastAllocated',
        resources: [
          { name: 'cpu', weight: 3 },
          { name: 'memory', weight: 1 },
        ],
      },
    });
    expect(cpuOnly.score(aPod('p', { requests: { cpu: '2', memory: '0' } }), ['empty'])).toEqual({ empty: 62 });
  });

  it('follows a curve over utilisation', () => {
    const shape = [
      { utilization: 0, score: 0 },
      { utilization: 50, score: 10 },
      { utilization: 100, score: 0 },
    ];
    const curve = bench({ scoringStrategy: { type: 'RequestedToCapacityRatio', requestedToCapacityRatio: { shape } } });
    expect(curve.score(aPod('p', { requests: { cpu: '1', memory: '2Gi' } }))).toEqual({ empty: 50, half: 50, full: 0 });
  });
});

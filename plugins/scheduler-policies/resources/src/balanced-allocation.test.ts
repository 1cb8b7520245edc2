import { aNode, aPod, policyBench } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { balancedAllocation } from './balanced-allocation.ts';

describe('the balance of resources', () => {
  it('is perfect where cpu and memory are used alike', () => {
    const bench = policyBench(balancedAllocation, { nodes: [aNode('even'), aNode('odd', { allocatable: { cpu: '8' } })] });
    // even: 2/4 and 4/8. odd: 2/8 and 4/8: half the difference is an eighth.
    expect(bench.score(aPod('p', { requests: { cpu: '2', memory: '4Gi' } }))).toEqual({ even: 100, odd: 87 });
  });

  it('counts what is there already', () => {
    const bench = policyBench(balancedAllocation, { nodes: [aNode('n')] });
    bench.place(aPod('a', { requests: { cpu: '3' } }), 'n');
    expect(bench.score(aPod('p', { requests: { cpu: '1', memory: '4Gi' } }))).toEqual({ n: 75 });
  });

  it('says nothing about a pod that asks for nothing, lest such pods pile up on one node', () => {
    expect(policyBench(balancedAllocation, { nodes: [aNode('n')] }).score(aPod('p'))).toBe('skip');
  });

  it('is a standard deviation over more than two resources', () => {
    const resources = ['cpu', 'memory', 'example.com/gpu'].map((name) => ({ name }));
    const bench = policyBench(balancedAllocation, {
      nodes: [aNode('n', { allocatable: { 'example.com/gpu': '4' } })],
      args: { resources },
    });
    // Shares 1/4, 1/4, 1: mean 1/2, deviation sqrt(2/16 + 1/4) / sqrt(3) = 0.354.
    expect(bench.score(aPod('p', { requests: { cpu: '1', memory: '2Gi', 'example.com/gpu': '4' } }))).toEqual({ n: 64 });
  });
});

import { describe, expect, it } from 'vitest';
import { dependencies, dependents } from './graph.ts';
import type { PluginSpec } from './resolve.ts';

function plugin(id: string, role: string, requires: string[] = [], hostId?: string): PluginSpec {
  return { id, role, requires: requires.map((one) => ({ role: one })), hostId } as unknown as PluginSpec;
}

describe('the graph of plugins', () => {
  it('ties a plugin to the providers of its roles, and a host to its extensions', () => {
    const edges = dependencies([
      plugin('storage/sqlite', 'storage/v1'),
      plugin('apiserver/server', 'apiserver/v1', ['store/v1']),
      plugin('api/core', 'api/v1', [], 'apiserver/server'),
      plugin('controller/x', 'controller/v1', ['apiserver/v1']),
    ]);
    expect(Object.fromEntries(edges)).toEqual({
      'storage/sqlite': [],
      'apiserver/server': ['storage/sqlite', 'api/core'],
      'api/core': [],
      'controller/x': ['apiserver/server'],
    });
    expect([...dependents(edges, ['storage/sqlite'])].sort()).toEqual(['apiserver/server', 'controller/x']);
  });

  it('refuses a circle and shows its path', () => {
    const circle = [plugin('a/one', 'a/v1', ['b/v1']), plugin('b/two', 'b/v1', ['c/v1']), plugin('c/three', 'c/v1', ['a/v1'])];
    expect(() => dependencies(circle)).toThrow('a/one -> b/two -> c/three -> a/one');
  });
});

import { describe, expect, it } from 'vitest';
import { compileJsonPath } from './json-path.ts';

const object = { spec: { a: 'x', l: [{ x: '1' }, { x: '2' }], m: { 'k.v': 'w' }, n: 0 } };

describe('JSONPath of printer columns', () => {
  it.each([
    ['.spec.a', ['x']],
    ['.spec.l[0].x', ['1']],
    ['.spec.l[-1].x', ['2']],
    ['.spec.l[*].x', ['1', '2']],
    ['.spec.m.k\\.v', ['w']],
    [".spec.m['k.v']", ['w']],
    ['.spec.l[?(@.x=="2")].x', ['2']],
    ['.spec.l[0:1].x', ['1']],
    ['..x', ['1', '2']],
    ['.spec.n', [0]],
    ['.spec.nothing.at.all', []],
    ['.spec.l[', []],
    ['.spec.constructor', []],
  ])('%s finds %j', (path, found) => {
    expect(compileJsonPath(path)(object)).toEqual(found);
  });
});

import type { KubeObject } from '@kubernel/sdk/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchTypes, thingResource } from '../testing/patch-types.ts';
import { createPatcher } from './index.ts';

const patcher = createPatcher(patchTypes);
const run = (kind: 'json' | 'merge' | 'strategic', live: unknown, patch: unknown): unknown =>
  patcher.patch({
    kind,
    resource: thingResource,
    live: live as KubeObject,
    text: typeof patch === 'string' ? patch : JSON.stringify(patch),
  }).value;
const refusal = (kind: 'json' | 'merge' | 'strategic', live: unknown, patch: unknown): string => {
  try {
    run(kind, live, patch);
    return '';
  } catch (error) {
    const { status } = error as { status: { code: number; message: string } };
    return `${status.code} ${status.message}`;
  }
};
const REJECTED = '422 the server rejected our request due to an error in our request';

describe('JSON patch', () => {
  const live = { data: { a: '1', 'b/c': '2' }, list: [1, 2, 3] };
  const apply = (...operations: unknown[]): unknown => run('json', live, operations);

  it('carries out each operation', () => {
    expect(apply({ op: 'add', path: '/data/n', value: 'x' }, { op: 'remove', path: '/data/a' })).toEqual({
      data: { 'b/c': '2', n: 'x' },
      list: [1, 2, 3],
    });
    expect(apply({ op: 'replace', path: '/data/b~1c', value: null })).toMatchObject({ data: { 'b/c': null } });
    expect(apply({ op: 'move', from: '/data/a', path: '/moved' }, { op: 'copy', from: '/list', path: '/copied' })).toEqual({
      data: { 'b/c': '2' },
      list: [1, 2, 3],
      moved: '1',
      copied: [1, 2, 3],
    });
    expect(
      apply({ op: 'add', path: '/list/-', value: 4 }, { op: 'remove', path: '/list/0' }, { op: 'replace', path: '/list/-1', value: 9 }),
    ).toMatchObject({ list: [2, 3, 9] });
    expect(apply({ op: 'test', path: '/data/missing', value: null }, { op: 'add', path: '/data/n' })).toMatchObject({ data: { n: null } });
    expect(apply({ op: 'replace', path: '', value: { only: 1 } })).toEqual({ only: 1 });
  });

  it('refuses what cannot be carried out, without saying why', () => {
    for (const operation of [
      { op: 'remove', path: '/data/nope' },
      { op: 'replace', path: '/list/3', value: 1 },
      { op: 'add', path: '/nope/x', value: 1 },
      { op: 'move', from: '/nope', path: '/x' },
      { op: 'test', path: '/data/a', value: '2' },
      { op: 'frobnicate', path: '/data/a' },
      { op: 'add', path: '/list/x', value: 1 },
      { op: 'add' },
    ])
      expect(refusal('json', live, [operation]), JSON.stringify(operation)).toBe(REJECTED);
  });

  it("says in Go's words what is no patch", () => {
    expect(refusal('json', live, '{')).toBe('400 error decoding patch: unexpected end of JSON input');
    expect(refusal('json', live, '5')).toBe(
      '400 error decoding patch: json: cannot unmarshal number into Go value of type []handlers.jsonPatchOp',
    );
    expect(refusal('json', live, ['a'])).toBe(
      '400 error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp',
    );
  });

  it('has at most 10,000 operations, and copies at most 3 MiB', () => {
    expect(
      refusal(
        'json',
        live,
        Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/a', value: '1' })),
      ),
    ).toBe('413 The allowed maximum operations in a JSON patch is 10000, got 10001');
    const double = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '/data', path: `/data/x${index}` }));
    expect(refusal('json', live, double)).toBe(REJECTED);
  });

  it('treats __proto__ as a key', () => {
    const result = run('json', live, '[{"op":"add","path":"/data/__proto__","value":{"x":1}}]') as { data: object };
    expect(Object.getPrototypeOf(result.data)).toBe(Object.prototype);
    expect(Object.hasOwn(result.data, '__proto__')).toBe(true);
    expect(refusal('json', live, '[{"op":"add","path":"/__proto__/polluted","value":1}]')).toBe(REJECTED);
  });
});

describe('merge patch', () => {
  it('merges objects, deletes by null and replaces the rest', () => {
    expect(run('merge', { a: { b: 1, c: [1] }, d: 1 }, { a: { b: null, c: [2], n: { x: null, y: 1 } }, d: { e: 1 } })).toEqual({
      a: { c: [2], n: { y: 1 } },
      d: { e: 1 },
    });
  });

  it('names repeated keys', () => {
    expect(patcher.patch({ kind: 'merge', resource: thingResource, live: { metadata: {} }, text: '{"data":{"z":"1","z":"2"}}' })).toEqual({
      value: { metadata: {}, data: { z: '2' } },
      problems: ['duplicate field "data.z"'],
    });
  });

  it('refuses what is no object', () => {
    expect(refusal('merge', {}, 'null')).toBe('400 Invalid JSON Patch');
    expect(refusal('merge', {}, '[]')).toContain('cannot unmarshal array into Go value of type map[string]interface {}');
  });

  it('refuses a depth that would exhaust the stack', () => {
    const deep = '{"a":'.repeat(5000) + 1 + '}'.repeat(5000);
    for (const kind of ['merge', 'strategic'] as const) expect(refusal(kind, { metadata: {} }, deep)).toContain('exceeded max depth');
    expect(refusal('json', {}, `[{"op":"add","path":"/x","value":${deep}}]`)).toContain('exceeded max depth');
  });

  it('is idempotent', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (live, patch) => {
        const once = run('merge', live, patch);
        expect(run('merge', once, patch)).toEqual(once);
      }),
    );
  });
});

describe('strategic merge patch', () => {
  const live = {
    metadata: { finalizers: ['a', 'b'] },
    spec: {
      containers: [
        { name: 'a', image: '1', env: [{ name: 'E', value: '1' }] },
        { name: 'b', image: '2' },
      ],
      args: ['x'],
      selector: { k: 'v' },
      strategy: { type: 'Rolling', rolling: { surge: 1 } },
    },
  };
  const spec = (patch: unknown): Record<string, unknown> =>
    (run('strategic', live, { spec: patch }) as { spec: Record<string, unknown> }).spec;

  it('merges lists by key, new elements first as upstream orders them', () => {
    expect(
      spec({
        containers: [
          { name: 'z', image: '9' },
          { name: 'a', env: [{ name: 'F', value: '2' }] },
        ],
      }).containers,
    ).toEqual([
      { name: 'z', image: '9' },
      {
        name: 'a',
        image: '1',
        env: [
          { name: 'F', value: '2' },
          { name: 'E', value: '1' },
        ],
      },
      { name: 'b', image: '2' },
    ]);
  });

  it('replaces atomic lists and merges maps', () => {
    expect(spec({ args: ['y'], selector: { n: '1', k: null } })).toMatchObject({ args: ['y'], selector: { n: '1' } });
  });

  it('deletes and replaces elements by directive', () => {
    expect(spec({ containers: [{ name: 'a', $patch: 'delete' }] }).containers).toEqual([{ name: 'b', image: '2' }]);
    expect(spec({ containers: [{ $patch: 'replace' }, { name: 'n' }] }).containers).toEqual([{ name: 'n' }]);
    expect(spec({ strategy: { $patch: 'replace', type: 'X' } }).strategy).toEqual({ type: 'X' });
    expect(spec({ strategy: { $patch: 'delete' } }).strategy).toEqual({});
    expect(spec({ strategy: { $retainKeys: ['type'], type: 'Recreate' } }).strategy).toEqual({ type: 'Recreate' });
  });

  it('keeps, deletes and orders primitives', () => {
    const finalizers = (patch: unknown): unknown =>
      (run('strategic', live, { metadata: patch }) as { metadata: { finalizers: string[] } }).metadata.finalizers;
    expect(finalizers({ finalizers: ['c'] })).toEqual(['c', 'a', 'b']);
    expect(finalizers({ '$deleteFromPrimitiveList/finalizers': ['a'] })).toEqual(['b']);
    expect(finalizers({ '$setElementOrder/finalizers': ['b', 'a'] })).toEqual(['b', 'a']);
  });

  it('orders elements', () => {
    const names = (patch: unknown): unknown => (spec(patch).containers as { name: string }[]).map(({ name }) => name);
    expect(names({ '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] })).toEqual(['b', 'a']);
    expect(names({ '$setElementOrder/containers': [{ name: 'b' }, { name: 'n' }, { name: 'a' }], containers: [{ name: 'n' }] })).toEqual([
      'b',
      'n',
      'a',
    ]);
  });

  it("refuses in upstream's words", () => {
    const why = (patch: unknown): string => refusal('strategic', live, { spec: patch });
    expect(why({ containers: [{ name: 'a', $patch: 'merge' }] })).toBe('500 merging lists cannot yet be specified in the patch');
    expect(why({ containers: [{ name: 'a', $patch: 'zap' }] })).toBe('500 unknown patch type: zap in map: map[$patch:zap name:a]');
    expect(why({ containers: [{ image: 'a' }] })).toBe('500 map: map[image:a] does not contain declared merge key: name');
    expect(why({ strategy: { $retainKeys: [], type: 'x' } })).toBe('400 invalid patch format of retainKeys');
    expect(why({ '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'a', image: 'n' }] })).toBe(
      "500 The order in patch list:\n[map[image:n name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
    );
    expect(why({ containers: { name: 'a' } })).toBe(
      '422  "" is invalid: patch: Invalid value: "map[spec:map[containers:map[name:a]]]": cannot restore slice from map',
    );
    expect(refusal('strategic', live, '[]')).toBe('400 json: cannot unmarshal array into Go value of type map[string]interface {}');
  });

  it('made from the difference of two objects leads from one to the other', () => {
    const container = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: fc.constantFrom('1', '2') });
    const thing = fc.record({
      data: fc.dictionary(fc.constantFrom('x', 'y', 'z', '__proto__'), fc.constantFrom('1', '2')),
      spec: fc.record({
        containers: fc.uniqueArray(container, { selector: ({ name }) => name }),
        args: fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }),
      }),
    });
    fc.assert(
      fc.property(thing, thing, (from, to) => {
        const patch = diffOf(from, to);
        expect(run('strategic', from, patch)).toEqual(to);
      }),
    );
  });
});

interface Thing {
  data: Record<string, string>;
  spec: { containers: { name: string; image: string }[]; args: string[] };
}

/** What `kubectl apply` would send for the two. */
function diffOf(from: Thing, to: Thing): unknown {
  const keep = to.spec.containers.map(({ name }) => ({ name }));
  const gone = from.spec.containers
    .filter(({ name }) => !to.spec.containers.some((one) => one.name === name))
    .map(({ name }) => ({ name, $patch: 'delete' }));
  const data: Record<string, string | null> = {};
  for (const key of Object.keys(from.data))
    Object.defineProperty(data, key, { value: null, enumerable: true, configurable: true, writable: true });
  for (const key of Object.keys(to.data))
    Object.defineProperty(data, key, { value: to.data[key], enumerable: true, configurable: true, writable: true });
  const listed = from.spec.containers.length + to.spec.containers.length > 0;
  return {
    data,
    spec: { ...(listed ? { containers: [...to.spec.containers, ...gone], '$setElementOrder/containers': keep } : {}), args: to.spec.args },
  };
}

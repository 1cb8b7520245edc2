import type { KubeObject, ManagedFieldsEntry } from '@kubernel/sdk/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchTypes, thingResource } from '../testing/patch-types.ts';
import { createPatcher } from './index.ts';

const patcher = createPatcher(patchTypes);
let clock = 0;
const now = (): string => `2026-01-01T00:00:${String(clock++ % 60).padStart(2, '0')}Z`;

function apply(
  live: KubeObject | undefined,
  manager: string,
  fields: Record<string, unknown>,
  options: { force?: boolean; subresource?: string } = {},
): KubeObject {
  const { metadata, ...rest } = fields as { metadata?: object };
  const applied = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', ...metadata }, ...rest };
  const request = {
    resource: thingResource,
    subresource: options.subresource ?? '',
    live,
    applied,
    manager,
    force: options.force ?? false,
    time: now(),
  };
  return stored(patcher.apply(request).value);
}

function update(old: KubeObject | undefined, manager: string, fields: Record<string, unknown>, subresource = ''): KubeObject {
  const object = stored({ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', ...(old ? { uid: 'u' } : {}) }, ...fields });
  patcher.track({ resource: thingResource, subresource, old, object, manager, time: now() });
  return { ...object, metadata: { ...object.metadata, uid: 'u' } };
}

/** As a server would store it: null and empty values are not there. */
function stored(value: unknown): KubeObject {
  const object = JSON.parse(JSON.stringify(value, (_key, item) => item ?? undefined)) as KubeObject;
  return { ...object, metadata: { ...object.metadata, uid: 'u' } };
}

const owners = (object: KubeObject): Record<string, unknown> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry: ManagedFieldsEntry) => [
      `${entry.manager}/${entry.operation}${entry.subresource ? `/${entry.subresource}` : ''}`,
      entry.fieldsV1,
    ]),
  );
const refusal = (run: () => unknown): string => {
  try {
    run();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('tracking', () => {
  it('gives the creator what it set, with a dot for what was not there as a whole', () => {
    const object = update(undefined, 'm', {
      data: { b: '1', a: '2' },
      spec: { replicas: 1, containers: [{ name: 'c', image: 'i' }], args: ['x'], selector: { k: 'v' } },
    });
    expect(owners(object)).toEqual({
      'm/Update': {
        'f:data': { '.': {}, 'f:a': {}, 'f:b': {} },
        'f:spec': {
          'f:args': {},
          'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} } },
          'f:replicas': {},
          'f:selector': {},
        },
      },
    });
    expect(object.metadata.managedFields?.[0]).toMatchObject({
      manager: 'm',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
    });
  });

  it('moves a changed field to whoever changed it and forgets who owns nothing', () => {
    const first = update(undefined, 'm', { data: { a: '1', b: '1' } });
    const second = update(first, 'n', { data: { a: '2', b: '1' } });
    expect(owners(second)).toEqual({ 'm/Update': { 'f:data': { '.': {}, 'f:b': {} } }, 'n/Update': { 'f:data': { 'f:a': {} } } });
    expect(owners(update(second, 'k', {}))).toEqual({});
  });

  it('keeps entries and times where nothing changed', () => {
    const first = update(undefined, 'm', { data: { a: '1' } });
    const second = update(first, 'n', { data: { a: '1' } });
    expect(second.metadata.managedFields).toEqual(first.metadata.managedFields);
    const noop = structuredClone(first);
    (noop.metadata.managedFields as ManagedFieldsEntry[])[0]!.time = now();
    patcher.ignoreTimes(first, noop);
    expect(noop.metadata.managedFields).toEqual(first.metadata.managedFields);
  });

  it('does not start for an object nobody kept track of, and ends by an empty list', () => {
    const untracked = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', uid: 'u' }, data: { a: '1' } };
    expect(owners(update(untracked, 'm', { data: { a: '2' } }))).toEqual({});
    const tracked = update(undefined, 'm', { data: { a: '1' } });
    expect(owners(update(tracked, 'm', { metadata: { name: 'x', uid: 'u', managedFields: [] }, data: { a: '1' } }))).toEqual({});
  });

  it('leaves status to the status subresource, and the rest to the object', () => {
    const object = update(undefined, 'm', { spec: { replicas: 1 }, status: { phase: 'X' } });
    expect(owners(object)).toEqual({ 'm/Update': { 'f:spec': { 'f:replicas': {} } } });
    const after = update(object, 's', { spec: { replicas: 2 }, status: { phase: 'Y' } }, 'status');
    expect(owners(after)['s/Update/status']).toEqual({ 'f:status': { 'f:phase': {} } });
  });

  it('joins the oldest of more than ten updaters', () => {
    let object = update(undefined, 'm0', { data: { k0: '1' } });
    for (let i = 1; i <= 12; i++) object = update(object, `m${i}`, { data: { ...(object.data as object), [`k${i}`]: '1' } });
    expect(object.metadata.managedFields).toHaveLength(10);
    expect(owners(object)).toHaveProperty('ancient-changes/Update');
  });
});

describe('apply', () => {
  it('owns what it says, and removes what it says no more', () => {
    const first = apply(undefined, 'm', { data: { a: '1', b: '2' } });
    expect(owners(first)).toEqual({ 'm/Apply': { 'f:data': { 'f:a': {}, 'f:b': {} } } });
    const second = apply(first, 'm', { data: { a: '1' } });
    expect(second.data).toEqual({ a: '1' });
    expect(apply(second, 'm', {}).data).toBeUndefined();
  });

  it('is refused where it would change what others own, unless forced', () => {
    const live = update(apply(undefined, 'm', { data: { a: '1', b: '1' } }), 'u', { data: { a: '1', b: '2' } });
    expect(refusal(() => apply(live, 'n', { data: { a: '9', b: '9' } }))).toBe(
      'Apply failed with 2 conflicts: conflicts with "m":\n- .data.a\nconflicts with "u" using v1:\n- .data.b',
    );
    expect(refusal(() => apply(live, 'm', { data: { a: '1', b: '1' } }))).toBe(
      'Apply failed with 1 conflict: conflict with "u" using v1: .data.b',
    );
    const forced = apply(live, 'n', { data: { a: '9' } }, { force: true });
    expect(forced.data).toEqual({ a: '9', b: '2' });
    expect(owners(forced)).toMatchObject({ 'n/Apply': { 'f:data': { 'f:a': {} } }, 'u/Update': { 'f:data': { 'f:b': {} } } });
  });

  it('shares a value that two agree on, and keeps it until both let go', () => {
    const both = apply(apply(undefined, 'm', { data: { a: '1' } }), 'n', { data: { a: '1' } });
    expect(both.metadata.managedFields?.find(({ manager }) => manager === 'n')?.time).toBeUndefined();
    const one = apply(both, 'm', {});
    expect(one.data).toEqual({ a: '1' });
    expect(apply(one, 'n', {}).data).toBeUndefined();
  });

  it('merges lists by key in the applied order, sets by value, and takes atomic ones whole', () => {
    const first = apply(undefined, 'm', {
      metadata: { finalizers: ['a/b'] },
      spec: { containers: [{ name: 'a' }, { name: 'c' }], args: ['1'] },
    });
    const second = apply(first, 'n', {
      metadata: { finalizers: ['a/c'] },
      spec: { containers: [{ name: 'c' }, { name: 'b', image: 'i' }] },
    });
    expect((second.spec as { containers: unknown }).containers).toEqual([{ name: 'a' }, { name: 'c' }, { name: 'b', image: 'i' }]);
    expect(second.metadata.finalizers).toEqual(['a/b', 'a/c']);
    expect(refusal(() => apply(second, 'n', { spec: { args: ['1', '2'] } }))).toContain('.spec.args');
    const third = apply(second, 'm', {});
    expect(compactOf(third.spec)).toEqual(compactOf({ containers: [{ name: 'c' }, { name: 'b', image: 'i' }] }));
  });

  it('gives a key field that is left out its default', () => {
    const first = apply(undefined, 'm', { spec: { containers: [{ name: 'c', ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }] }] } });
    expect(JSON.stringify(owners(first))).toContain(String.raw`k:{\"port\":80,\"protocol\":\"TCP\"}`);
    expect(refusal(() => apply(first, 'n', { spec: { containers: [{ name: 'c', ports: [{ port: 80, name: 'x' }] }] } }))).toBe('');
  });

  it("refuses what is not of the type, in upstream's words", () => {
    const why = (fields: Record<string, unknown>): string =>
      refusal(() => apply(undefined, 'm', fields)).replace('failed to create typed patch object (/x; /v1, Kind=Thing): ', '');
    expect(why({ foo: 1 })).toBe('.foo: field not declared in schema');
    expect(why({ data: ['x'] })).toBe('.data: expected map, got &{[x]}');
    expect(why({ data: { a: { b: 1 } } })).toBe(
      '.data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":1}}',
    );
    expect(why({ metadata: { finalizers: ['e.com/a', 'e.com/a'] } })).toBe('.metadata.finalizers: duplicate entries for key [="e.com/a"]');
    expect(why({ metadata: { managedFields: [] } })).toBe('metadata.managedFields must be nil');
    const applied = { apiVersion: 'apps/v1', kind: 'Thing' };
    expect(
      refusal(() =>
        patcher.apply({ resource: thingResource, subresource: '', live: undefined, applied, manager: 'm', force: false, time: '' }),
      ),
    ).toBe('invalid object type: apps/v1, Kind=Thing');
  });

  it("takes over from kubectl's client-side apply without a conflict", () => {
    const annotations = {
      'kubectl.kubernetes.io/last-applied-configuration': '{"apiVersion":"v1","kind":"Thing","metadata":{"name":"x"},"data":{"a":"1"}}',
    };
    const live = update(undefined, 'kubectl-client-side-apply', { metadata: { name: 'x', annotations }, data: { a: '1' } });
    expect(refusal(() => apply(live, 'zz', { data: { a: '2' } }))).toContain('conflict with "kubectl-client-side-apply" using v1: .data.a');
    const taken = apply(live, 'kubectl', { data: { a: '2' } });
    expect(taken.data).toEqual({ a: '2' });
    expect(taken.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']).toBe(
      '{"apiVersion":"v1","data":{"a":"2"},"kind":"Thing","metadata":{"name":"x"}}\n',
    );
  });

  it('of an object nobody kept track of leaves its fields to before-first-apply', () => {
    const untracked = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', uid: 'u' }, data: { a: '1' } };
    expect(owners(apply(untracked, 'm', { data: { b: '1' } }))).toEqual({
      'before-first-apply/Update': { 'f:data': { '.': {}, 'f:a': {} } },
      'm/Apply': { 'f:data': { 'f:b': {} } },
    });
  });
});

const value = fc.constantFrom('1', '2');
const container = fc.record({ name: fc.constantFrom('a', 'b', 'c'), image: value }, { requiredKeys: ['name'] });
const configuration = fc.record(
  {
    data: fc.dictionary(fc.constantFrom('x', 'y', 'z'), value, { minKeys: 1 }),
    spec: fc.record(
      {
        replicas: fc.integer({ min: 1, max: 3 }),
        containers: fc.uniqueArray(container, { selector: ({ name }) => name, minLength: 1 }),
        args: fc.array(value, { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

describe('laws of apply', () => {
  it('twice is once', () => {
    fc.assert(
      fc.property(configuration, configuration, (before, config) => {
        const once = apply(update(undefined, 'u', before), 'm', config, { force: true });
        expect(apply(once, 'm', config)).toEqual(once);
      }),
    );
  });

  it('what was applied is there, and nothing of another owner is lost', () => {
    fc.assert(
      fc.property(configuration, configuration, (before, config) => {
        const live = apply(undefined, 'n', before);
        const result = apply(live, 'm', config, { force: true });
        expect(result.data ?? {}).toEqual({ ...before.data, ...config.data });
        expect((result.spec as { replicas?: number } | undefined)?.replicas).toBe(config.spec?.replicas ?? before.spec?.replicas);
      }),
    );
  });

  it('of two who speak of different things, the order does not matter', () => {
    const left = fc.record({
      data: fc.dictionary(fc.constantFrom('a', 'b'), value),
      metadata: fc.record({ labels: fc.dictionary(fc.constantFrom('l'), value) }),
    });
    const right = fc.record({ data: fc.dictionary(fc.constantFrom('c', 'd'), value), spec: configuration.map(({ spec }) => spec ?? {}) });
    fc.assert(
      fc.property(left, right, (one, other) => {
        const strip = (object: KubeObject): unknown => [owners(object), object.data ?? {}, object.spec ?? {}, object.metadata.labels ?? {}];
        expect(strip(apply(apply(undefined, 'm', one), 'n', other))).toEqual(strip(apply(apply(undefined, 'n', other), 'm', one)));
      }),
    );
  });

  it('what is applied and then let go of leaves no trace but the order', () => {
    fc.assert(
      fc.property(configuration, configuration, (before, config) => {
        const live = update(undefined, 'u', before);
        fc.pre(refusal(() => apply(live, 'm', config)) === '');
        const { metadata: _a, ...left } = apply(apply(live, 'm', config), 'm', {});
        const { metadata: _b, ...original } = live;
        expect(compactOf(left)).toEqual(compactOf(original));
      }),
    );
  });
});

/** Without what is empty, lists in any order. */
function compactOf(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(compactOf).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof item !== 'object' || item === null) return item;
  const entries = Object.entries(item).map(([key, inner]) => [key, compactOf(inner)] as const);
  return Object.fromEntries(
    entries.filter(([, inner]) => !(typeof inner === 'object' && inner !== null && Object.keys(inner).length === 0)),
  );
}

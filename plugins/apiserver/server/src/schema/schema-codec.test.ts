import type { ApiGroup } from '@kubernel/sdk';
import { resourcesOf } from '@kubernel/sdk/api';
import { describe, expect, test } from 'vitest';
import { countKeys, SchemaCodec } from './schema-codec.ts';

const define = resourcesOf('shop.example', 'v1', 'shop');

/** A group with one of each: scalars, lists, maps, an embedded struct, free-form JSON, a type that contains itself. */
const shop: ApiGroup = {
  group: 'shop.example',
  versions: ['v1'],
  types: {
    'shop.v1.Order': {
      kind: ['string', 0, 'e'],
      apiVersion: ['string', 0, 'e'],
      metadata: ['meta.v1.ObjectMeta', 1, 'e'],
      spec: ['shop.v1.OrderSpec', 2, 'e'],
      status: ['shop.v1.OrderStatus', 3, 'e'],
    },
    'shop.v1.OrderSpec': {
      customer: ['string', 1, 'r'],
      count: ['int32', 2, 'ep', { default: 1 }],
      items: ['[]shop.v1.Item', 3, 'e'],
      tags: ['[]string', 4, ''],
      limits: ['{}quantity', 5, 'e', { go: 'v1.ResourceList' }],
      port: ['intorstring', 6, 'ep'],
      note: ['bytes', 7, 'e'],
      placed: ['time', 8, 'e'],
      extra: ['raw', 9, 'e'],
      tree: ['shop.v1.Node', 10, 'ep'],
    },
    'shop.v1.Item': { name: ['string', 1, 'r'], address: ['string', 1, 'e', { via: 'Delivery', within: [2] }] },
    'shop.v1.Node': { children: ['[]shop.v1.Node', 1, 'e'] },
    'shop.v1.OrderStatus': { paid: ['bool', 1, 'e'] },
  },
  defaults: { 'shop.v1.Item': (item) => void (item.address ||= 'counter') },
  resources: [
    define({ kind: 'Order', plural: 'orders', namespaced: true }),
    define({ kind: 'Basket', plural: 'baskets', namespaced: true, type: 'shop.v1.Node' }),
  ],
};

const codec = new SchemaCodec([shop]);
const ORDER = { type: 'shop.v1.Order', kind: 'Order', apiVersion: 'shop.example/v1' };
const decode = (spec: unknown) =>
  codec.decode(ORDER, JSON.stringify({ apiVersion: 'shop.example/v1', kind: 'Order', metadata: { name: 'o' }, spec }));
const refusal = (text: string): string => {
  try {
    codec.decode(ORDER, text);
    return 'no error';
  } catch (error) {
    expect(error).toMatchObject({ status: { code: 400, reason: 'BadRequest' } });
    return (error as Error).message;
  }
};
const refusalOf = (spec: unknown): string =>
  refusal(JSON.stringify({ apiVersion: 'shop.example/v1', kind: 'Order', spec })).replace(
    /^Order in version "v1" cannot be handled as a Order: /,
    '',
  );

describe('reading a body', () => {
  test('fields come out in Go order, empty ones left out, zero values where Go writes them', () => {
    const { object, problems } = decode({ items: [{ name: 'b' }], customer: 'ann', limits: { b: '1', a: '0.5' } });
    expect(problems).toEqual([]);
    expect(JSON.stringify(object)).toBe(
      '{"kind":"Order","apiVersion":"shop.example/v1","metadata":{"name":"o"},"spec":{"customer":"ann","items":[{"name":"b"}],"tags":null,' +
        '"limits":{"a":"500m","b":"1"},"placed":null,"extra":null},"status":{}}',
    );
  });

  test('null stands for absent, and for zero inside lists and maps', () => {
    const { object } = decode({ customer: null, count: null, items: [null], tags: [null, 'x'], limits: { cpu: null } });
    expect(object.spec).toMatchObject({ customer: '', items: [{ name: '' }], tags: ['', 'x'], limits: { cpu: '0' } });
    expect(Object.hasOwn(object.spec as object, 'count')).toBe(false);
  });

  test('unknown and repeated fields are named with their paths, in the order of the text', () => {
    const text =
      '{"metadata":{"name":"o","bogus":1},"spec":{"items":[{"name":"a","x":1}],"customer":"a","customer":"b","Count":1},"kind":"Order","zzz":{}}';
    const { object, problems } = codec.decode(ORDER, text);
    expect(problems).toEqual([
      'unknown field "metadata.bogus"',
      'unknown field "spec.items[0].x"',
      'duplicate field "spec.customer"',
      'unknown field "spec.Count"',
      'unknown field "zzz"',
    ]);
    expect(object.spec).toMatchObject({ customer: 'b' });
    expect(codec.decode(ORDER, '{"spec":{"limits":{"cpu":"1","cpu":"2"}}}').problems).toEqual(['duplicate field "spec.limits.cpu"']);
  });

  test('wrong types are refused in Go’s words, the first one counting', () => {
    expect(refusalOf([])).toBe('json: cannot unmarshal array into Go struct field Order.spec of type v1.OrderSpec');
    expect(refusalOf({ customer: 1, count: 'x' })).toBe(
      'json: cannot unmarshal number into Go struct field OrderSpec.spec.customer of type string',
    );
    expect(refusalOf({ items: [{ address: {} }] })).toBe(
      'json: cannot unmarshal object into Go struct field Item.spec.items.Delivery.address of type string',
    );
    expect(refusalOf({ count: 1.5 })).toBe('json: cannot unmarshal number 1.5 into Go struct field OrderSpec.spec.count of type int32');
    expect(refusalOf({ count: 99999999999 })).toBe(
      'json: cannot unmarshal number 99999999999 into Go struct field OrderSpec.spec.count of type int32',
    );
    expect(refusalOf({ limits: 'x' })).toBe(
      'json: cannot unmarshal string into Go struct field OrderSpec.spec.limits of type v1.ResourceList',
    );
    expect(refusalOf({ port: 1.5 })).toBe('json: cannot unmarshal number 1.5 into Go struct field OrderSpec.spec.port of type int32');
    expect(refusalOf({ note: '%' })).toBe('illegal base64 data at input byte 0');
    expect(refusalOf({ customer: 1, placed: 'x' })).toMatch(/^parsing time "x"/); // types that read themselves end it at once
    expect(refusal('{"kind":"Order","spec":{"count":1.0}}')).toMatch(/cannot unmarshal number 1.0 into/);
  });

  test('bodies of another kind or version are refused as upstream does', () => {
    expect(refusal('{"kind":"Basket","apiVersion":"shop.example/v1"}')).toBe(
      'Basket in version "v1" cannot be handled as a Order: converting (v1.Basket) to (shop.Order): unknown conversion',
    );
    expect(refusal('{"kind":"Nope","apiVersion":"shop.example/v1"}')).toMatch(
      /^Nope in version "v1" cannot be handled as a Order: no kind "Nope" is registered for version "shop.example\/v1"/,
    );
    expect(refusal('[]')).toMatch(
      /^the object provided is unrecognized \(must be of type Order\): couldn't get version\/kind; json parse error: .* \(5b5d\)$/,
    );
    expect(refusal('')).toBe(
      "the object provided is unrecognized (must be of type Order): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    );
    expect(codec.decode(ORDER, 'null').object).toMatchObject({ kind: 'Order', apiVersion: 'shop.example/v1' });
  });
});

describe('hostile bodies', () => {
  test('__proto__ keys reach no prototype', () => {
    const { object, problems } = codec.decode(
      ORDER,
      '{"__proto__":{"polluted":1},"metadata":{"labels":{"__proto__":"x"}},"spec":{"extra":{"__proto__":{"polluted":1}}}}',
    );
    expect(problems).toEqual(['unknown field "__proto__"']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(object.metadata.labels as object)).toEqual(['__proto__']);
  });

  test('deep nesting is a 400, wherever it stands', () => {
    const nest = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);
    expect(refusal(`{"spec":{"extra":${nest('[', ']', 5_000)}}}`)).toMatch(/exceeded max depth/);
    expect(refusal(`{"spec":{"tree":${'{"children":['.repeat(4_900)}${']}'.repeat(4_900)}}}`)).toMatch(/exceeded max depth|no error/);
    expect(refusal(`{"unknown":${nest('[', ']', 20_000)}}`)).toMatch(/exceeded max depth/);
    expect(codec.decode(ORDER, `{"unknown":${nest('[', ']', 9_000)}}`).problems).toEqual(['unknown field "unknown"']);
  });

  test('no more than a hundred problems are collected', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, 1]));
    expect(codec.decode(ORDER, JSON.stringify(many)).problems).toHaveLength(100);
  });
});

describe('defaults and output', () => {
  test('declared defaults and functions fill in, children after their parents', () => {
    const { object } = decode({ customer: 'a', items: [{ name: 'x' }, { name: 'y', address: 'home' }] });
    codec.applyDefaults(ORDER.type, object);
    expect(object.spec).toMatchObject({ count: 1, items: [{ address: 'counter' }, { address: 'home' }] });
  });

  test('normalize drops what the type does not have and restores the order', () => {
    const object = {
      status: { paid: true },
      surprise: 1,
      spec: { tags: [], customer: 'a' },
      metadata: { name: 'o' },
      kind: 'Order',
      apiVersion: 'shop.example/v1',
    };
    expect(JSON.stringify(codec.normalize(ORDER.type, object))).toBe(
      '{"kind":"Order","apiVersion":"shop.example/v1","metadata":{"name":"o"},"spec":{"customer":"a","tags":null,"placed":null,"extra":null},"status":{"paid":true}}',
    );
  });

  test('an object survives protobuf, embedded structs and all', () => {
    const { object } = decode({
      customer: 'ann',
      count: -3,
      items: [{ name: 'a', address: 'home' }],
      tags: ['x'],
      limits: { cpu: '1' },
      port: '80%',
      note: 'YQ==',
      placed: '2026-01-02T03:04:05Z',
      extra: { a: [1] },
    });
    const text = JSON.stringify(codec.normalize(ORDER.type, object));
    const bytes = codec.encodeProtobuf(ORDER, text);
    expect(JSON.stringify(codec.decodeProtobuf(ORDER, bytes as Uint8Array).object)).toBe(text);
  });
});

test('keys of a text are counted past escapes and spaces', () => {
  expect(countKeys('{"a" : "b:c", "d\\\\":["e"], "f\\"g":{"h":1}}')).toBe(4);
});

test('an empty list or map of a client stays one until it is encoded', () => {
  const { object, keptEmpty } = decode({ customer: 'x', items: [], tags: [], limits: {} });
  expect(object.spec).toMatchObject({ items: [], tags: [], limits: {} });
  expect(keptEmpty).toBe(true);
  const careful = codec.decodeValue(ORDER, JSON.parse(JSON.stringify(object)));
  expect(careful).toMatchObject({ keptEmpty: true, object: { spec: { items: [], limits: {} } } });
  const encoded = codec.normalize(ORDER.type, object).spec as object;
  expect(encoded).not.toHaveProperty('items');
  expect(encoded).not.toHaveProperty('limits');
  expect(encoded).toHaveProperty('tags', null);
  expect(decode({ customer: 'x', items: [{ name: 'a' }] }).keptEmpty).toBe(false);
});

import { describe, expect, it } from 'vitest';
import { FieldErrors, FieldPath } from '../api/field-errors.ts';
import {
  applySchemaDefaults,
  dropNulls,
  fits,
  isKnownFormat,
  type JsonSchema,
  prune,
  validateListTypes,
  validateRules,
  validateValue,
} from './index.ts';

const texts = (run: (errors: FieldErrors) => void): string[] => {
  const errors = new FieldErrors();
  run(errors);
  return errors.list.map(({ field, body }) => `${field}: ${body}`);
};
const problems = (value: unknown, schema: JsonSchema, old?: unknown): string[] =>
  texts((errors) =>
    validateValue({ spec: value }, { properties: { spec: schema } }, errors, undefined, old === undefined ? undefined : { spec: old }),
  );

describe('pruning', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { inner: { type: 'object', properties: {} } } },
          list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
        },
      },
    },
  };

  it('takes what the schema does not know and names it in order', () => {
    const object = {
      kind: 'K',
      metadata: { x: 1 },
      spec: { z: 1, list: [{ a: 'x', b: 1 }], open: { any: { thing: 1 }, inner: { y: 2 } } },
    };
    expect(prune(object, schema, true)).toEqual(['spec.list[0].b', 'spec.open.inner.y', 'spec.z']);
    expect(object).toEqual({ kind: 'K', metadata: { x: 1 }, spec: { list: [{ a: 'x' }], open: { any: { thing: 1 }, inner: {} } } });
  });

  it('does not take inherited names for known ones', () => {
    expect(prune({ spec: { constructor: 1, toString: 2 } }, schema, true)).toEqual(['spec.constructor', 'spec.toString']);
  });
});

describe('defaults', () => {
  it('fill what is missing or an unwanted null, and nested objects only where they are', () => {
    const schema: JsonSchema = {
      properties: {
        a: { type: 'string', default: 'd' },
        o: { type: 'object', default: {}, properties: { i: { type: 'integer', default: 7 } } },
        no: { type: 'object', properties: { i: { type: 'integer', default: 7 } } },
        n: { type: 'string', nullable: true, default: 'x' },
        gone: { type: 'string' },
      },
    };
    const object: Record<string, unknown> = { a: null, n: null, gone: null };
    applySchemaDefaults(object, schema);
    dropNulls(object, schema);
    expect(object).toEqual({ a: 'd', o: { i: 7 }, n: null });
  });
});

describe('validation', () => {
  it('speaks of types as upstream does', () => {
    expect(problems('x', { type: 'integer' })).toEqual(['spec: Invalid value: "string": spec in body must be of type integer: "string"']);
    expect(problems(1.5, { 'x-kubernetes-int-or-string': true })).toEqual([
      'spec: Invalid value: "number": spec in body must be of type integer,string: "number"',
    ]);
    expect(problems(1, { type: 'number' })).toEqual([]);
  });

  it('compares whole numbers with the whole part of a bound', () => {
    expect(problems(3, { type: 'number', maximum: 2.5 })).toEqual([
      'spec: Invalid value: 3: spec in body should be less than or equal to 2',
    ]);
    expect(problems(2.6, { type: 'number', maximum: 2.5 })).toEqual([
      'spec: Invalid value: 2.6: spec in body should be less than or equal to 2.5',
    ]);
  });

  it('counts characters, not bytes', () => {
    expect(problems('éé', { type: 'string', maxLength: 2 })).toEqual([]);
    expect(problems('ééé', { type: 'string', maxLength: 2 })).toEqual(['spec: Too long: may not be more than 2 bytes']);
  });

  it('names required fields, lengths, enums and patterns', () => {
    expect(problems({}, { type: 'object', required: ['a'] })).toEqual(['spec.a: Required value']);
    expect(problems(['a', 'b'], { type: 'array', items: { type: 'string' }, maxItems: 1 })).toEqual([
      'spec: Too many: 2: must have at most 1 item',
    ]);
    expect(problems('c', { type: 'string', enum: ['a', 'b'] })).toEqual(['spec: Unsupported value: "c": supported values: "a", "b"']);
    expect(problems('b', { type: 'string', pattern: '^a+$' })).toEqual(['spec: Invalid value: "b": spec in body should match \'^a+$\'']);
  });

  it('says which alternative came closest', () => {
    expect(problems(5, { type: 'integer', oneOf: [{ minimum: 10 }, { maximum: 2 }] })).toEqual([
      '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
      'spec: Invalid value: 5: spec in body should be greater than or equal to 10',
    ]);
  });

  it('does not complain about what an update left as it was', () => {
    const schema: JsonSchema = { type: 'object', properties: { a: { type: 'string', maxLength: 1 }, b: { type: 'string' } } };
    expect(problems({ a: 'long', b: '2' }, schema, { a: 'long', b: '1' })).toEqual([]);
    expect(problems({ a: 'longer', b: '1' }, schema, { a: 'long', b: '1' })).toHaveLength(1);
  });

  it('finds repeated elements of sets and maps', () => {
    const set: JsonSchema = { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' };
    expect(texts((errors) => validateListTypes(['a', 'b', 'a'], set, errors, FieldPath.of('s')))).toEqual(['s[2]: Duplicate value: "a"']);
    const map: JsonSchema = {
      type: 'array',
      items: { type: 'object' },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
    };
    expect(texts((errors) => validateListTypes([{ k: 'a', v: 1 }, { k: 'a' }], map, errors, FieldPath.of('m')))).toEqual([
      'm[1]: Duplicate value: {"k":"a"}',
    ]);
  });

  it.each([
    ['date', '2020-02-29', '2021-02-29'],
    ['date-time', '2020-01-01T00:00:00Z', '2020-01-01'],
    ['ipv4', '1.2.3.4', '::1'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
    ['uri', '/x', 'a b'],
    ['uuid', '0f0e0d0c-0b0a-4908-8706-050403020100', 'x'],
    ['isbn', '978-3-16-148410-0', '978-3-16-148410-1'],
    ['duration', '1h30m', 'soon'],
    ['mac', '01:02:03:04:05:06', '01:02'],
  ])('checks the format %s', (format, good, bad) => {
    expect(isKnownFormat(format)).toBe(true);
    expect(fits(good, { type: 'string', format })).toBe(true);
    expect(fits(bad, { type: 'string', format })).toBe(false);
  });
});

describe('CEL rules', () => {
  const run = (value: unknown, schema: JsonSchema, old?: unknown): string[] =>
    texts((errors) =>
      validateRules({ spec: value }, { properties: { spec: schema } }, errors, undefined, old === undefined ? undefined : { spec: old }),
    );
  const ruled = (rule: string, rest: object = {}): JsonSchema => ({
    type: 'object',
    properties: { a: { type: 'integer' }, s: { type: 'string' } },
    'x-kubernetes-validations': [{ rule, ...rest }],
  });

  it('refuse with their message, and tell what went wrong in them', () => {
    expect(run({ a: 1 }, ruled('self.a > 5', { message: 'too small' }))).toEqual(['spec: Invalid value: too small']);
    expect(run({}, ruled('self.a > 5'))).toEqual(['spec: Invalid value: "object": no such key: a evaluating rule: self.a > 5']);
    expect(run({ a: 1 }, ruled('self.a > 5', { messageExpression: '"got " + string(self.a)' }))).toEqual(['spec: Invalid value: got 1']);
    expect(run({ a: 1 }, ruled('self.a > 5', { reason: 'FieldValueForbidden', fieldPath: '.a', message: 'no' }))).toEqual([
      'spec.a: Forbidden: no',
    ]);
  });

  it('look at the old value only where there is one', () => {
    expect(run({ a: 1 }, ruled('self.a >= oldSelf.a'))).toEqual([]);
    expect(run({ a: 1 }, ruled('self.a >= oldSelf.a'), { a: 2 })).toHaveLength(1);
    const optional = ruled('!oldSelf.hasValue() || self.a >= oldSelf.value().a', { optionalOldSelf: true });
    expect(run({ a: 1 }, optional)).toEqual([]);
    expect(run({ a: 1 }, optional, { a: 2 })).toHaveLength(1);
  });

  it.each([
    'isIP("1.2.3.4") && cidr("10.0.0.0/8").containsIP("10.1.1.1") && ip("::1").isLoopback()',
    'quantity("1Gi").isGreaterThan(quantity("1Mi")) && quantity("1").add(quantity("2")) == quantity("3")',
    '!format.dns1123Label().validate("ab").hasValue() && format.dns1123Label().validate("A_b").value().size() > 0',
    'url("https://a:80/b?c=d").getHost() == "a:80" && !isURL("a b")',
    'sets.contains([1, 2], [2]) && math.greatest(1, 2) == 2',
    '"%s-%d".format(["a", 1]) == "a-1" && "abc".charAt(1) == "b" && "abc".find("b+") == "b"',
    '[3, 1].sum() == 4 && [1, 2].isSorted() && [1, 2].max() == 2 && [1, 1].distinct() == [1]',
    'semver("1.2.3").isLessThan(semver("1.10.0")) && isSemver("v1", true)',
    'duration("1h") > duration("1m") && [1, 2].map(x, x * 2) == [2, 4]',
  ])('know %s', (rule) => {
    expect(run({ a: 4, s: 'x' }, ruled(rule))).toEqual([]);
  });
});

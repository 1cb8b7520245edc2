import type { FieldSchema, ResourceDefinition, TypeRef } from '@kubernel/sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactly, SchemaCodec } from '../../plugins/apiserver/server/src/schema/index.ts';
import { allGroups } from './corpus.ts';

// Needs no recordings: for every kind, random objects of its type.

const codec = new SchemaCodec(allGroups);
const stored = allGroups.flatMap(({ resources }) => resources);
const targetOf = ({ type, group, version, kind }: ResourceDefinition) => ({
  type,
  kind,
  apiVersion: group ? `${group}/${version}` : version,
});

/** Their empty lists are not null; protobuf cannot tell the two apart. */
const STORED_AS_JSON = /^(apiextensions|apiregistration)\./;

const time = fc
  .date({ min: new Date('1971-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => `${date.toISOString().slice(0, 19)}Z`);
const SCALARS: Record<string, fc.Arbitrary<unknown>> = {
  string: fc.string({ maxLength: 8 }),
  bool: fc.boolean(),
  int32: fc.integer({ min: -2147483648, max: 2147483647 }),
  int64: fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  time,
  microtime: time.map((text) => text.replace('Z', '.123456Z')),
  duration: fc.constant('1m0s'),
  quantity: fc.constantFrom('0', '1', '100m', '1Gi', '1500Mi', '2e3', '0.5', '-3'),
  intorstring: fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom('http', '50%')),
  raw: fc.constantFrom({ a: [1, 'x', null] }, { kind: 'X', n: 1.5 }),
  fieldsv1: fc.constant({ 'f:metadata': { 'f:labels': { '.': {} } } }),
  any: fc.constantFrom(1, 'x', { a: 1 }, [true]),
};

function valueOf(type: TypeRef, depth: number): fc.Arbitrary<unknown> {
  if (type.kind === 'scalar') return (type.accepts ? fc.constant(undefined) : SCALARS[type.scalar]) as fc.Arbitrary<unknown>;
  if (type.kind === 'list') return fc.array(valueOf(type.of, depth + 1), { maxLength: 2 });
  if (type.kind === 'map')
    return fc.dictionary(fc.constantFrom('a', 'b.c/d', '1', '__proto__'), valueOf(type.of, depth + 1), {
      maxKeys: 2,
      noNullPrototype: true,
    });
  if (type.kind === 'ref') return objectOf(type.name, depth + 1);
  return fc.constant({});
}

/** A few random fields of a type; deeper levels get fewer. */
function objectOf(type: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields: FieldSchema[] = [...codec.types.schema(type).fields.values()].filter(
    ({ name }) => depth > 0 || !/^(kind|apiVersion)$/.test(name),
  );
  if (depth > 5 || fields.length === 0) return fc.constant({});
  return fc.subarray(fields, { maxLength: Math.min(fields.length, Math.max(1, 6 - depth)) }).chain((chosen) =>
    fc.tuple(...chosen.map((field) => valueOf(field.type, depth))).map((values) => {
      const object: Record<string, unknown> = {};
      for (const [index, field] of chosen.entries()) if (values[index] !== undefined) object[field.name] = values[index];
      return object;
    }),
  );
}

describe('every kind, with random objects', () => {
  test.each(stored.map((definition) => [definition.type, definition] as const))(
    '%s: quick and careful reading agree, output is stable, protobuf loses nothing',
    (type, definition) => {
      const target = targetOf(definition);
      fc.assert(
        fc.property(objectOf(type, 0), (fields) => {
          const text = JSON.stringify({ kind: target.kind, apiVersion: target.apiVersion, ...fields });
          const quick = codec.decode(target, text);
          const careful = codec.read(type, parseExactly(text));
          expect(quick.problems).toEqual([]);
          const written = (object: object) => JSON.stringify(codec.normalize(type, object));
          expect(written(quick.object)).toBe(written(careful.object));
          // a client's empty list is no missing one when defaults are filled in; nothing stored holds any
          const object = JSON.parse(written(quick.object));
          codec.applyDefaults(type, object);
          const output = written(object);
          expect(written(JSON.parse(output))).toBe(output);
          const again = JSON.parse(output);
          codec.applyDefaults(type, again);
          expect(written(again)).toBe(output);
          const bytes = codec.encodeProtobuf(target, output);
          if (!bytes || STORED_AS_JSON.test(type)) return;
          const carried = codec.decodeProtobuf(target, bytes).object;
          codec.applyDefaults(type, carried);
          expect(written(carried)).toBe(output);
        }),
        { numRuns: 40 },
      );
    },
  );

  test('whatever a body holds, it is read or refused with a 400', () => {
    const anything = fc.json({ maxDepth: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(...stored),
        fc.oneof(
          anything,
          fc.string(),
          anything.map((json) => `{"spec":${json},"metadata":${json}}`),
        ),
        (definition, text) => {
          try {
            codec.decode(targetOf(definition), text);
          } catch (error) {
            expect(error).toMatchObject({ status: { code: 400 } });
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('whatever bytes come as protobuf, they are read or refused with a 400', () => {
    const body = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), Buffer.from(bytes)]));
    fc.assert(
      fc.property(fc.constantFrom(...stored), fc.oneof(body, fc.uint8Array()), (definition, bytes) => {
        try {
          codec.decodeProtobuf(targetOf(definition), bytes);
        } catch (error) {
          expect(error).toMatchObject({ status: { code: 400 } });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

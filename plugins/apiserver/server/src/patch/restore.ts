/**
 * After a strategic merge patch upstream turns the merged map into the Go type by reflection, with its own words for
 * what does not fit. This finds the first such misfit; everything else is left to the decoder.
 */
import type { FieldSchema, TypeRef } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { JsonObject } from './json-object.ts';
import { goPrint, isObject } from './json-object.ts';
import { goKind } from './parse-patch.ts';
import type { Types } from './types.ts';
import { schemaOf } from './types.ts';

/** Throws the 422 upstream answers when the patched object is not of its type any more. */
export function checkRestorable(types: Types, type: string, value: unknown, patch: JsonObject): void {
  const why = isObject(value) ? misfitOfStruct(types, { kind: 'ref', name: type }, value) : undefined;
  if (why) throw invalidPatch(patch, why);
}

/** `"" is invalid: patch: …`: the refusal of a patch as a whole. */
export function invalidPatch(patch: unknown, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(goPrint(patch))}: ${why}`;
  return new StatusError(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  });
}

function misfitOfStruct(types: Types, ref: TypeRef, value: JsonObject): string | undefined {
  const schema = schemaOf(types, ref);
  if (!schema) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const field = schema.fields.get(key);
    const why = field && item !== null ? misfit(types, field.type, field, item) : undefined;
    if (why) return why;
  }
  return undefined;
}

function misfit(types: Types, ref: TypeRef, field: FieldSchema, value: unknown): string | undefined {
  if (value === null) return undefined;
  if (ref.kind === 'list') {
    if (!Array.isArray(value)) return `cannot restore slice from ${reflectKind(value)}`;
    for (const item of value) {
      const why = misfit(types, ref.of, field, item);
      if (why) return why;
    }
    return undefined;
  }
  if (ref.kind === 'map') {
    if (!isObject(value)) return `cannot restore map from ${reflectKind(value)}`;
    for (const item of Object.values(value)) {
      const why = misfit(types, ref.of, field, item);
      if (why) return why;
    }
    return undefined;
  }
  if (ref.kind === 'scalar') return misfitOfScalar(ref.scalar, value, field);
  if (!isObject(value)) return `cannot restore struct from: ${reflectKind(value)}`;
  return misfitOfStruct(types, ref, value);
}

function misfitOfScalar(scalar: string, value: unknown, field: FieldSchema): string | undefined {
  const goal =
    scalar === 'string' ? 'string' : scalar === 'bool' ? 'boolean' : /^(u?int|float)(32|64)$/.test(scalar) ? 'number' : undefined;
  if (goal === undefined || typeof value === goal) return undefined;
  if (scalar === 'string' && typeof value === 'number') {
    return `cannot convert int64 to ${field.type.kind === 'scalar' ? field.goType.replace(/^\*/, '') : 'string'}`;
  }
  return `unrecognized type: ${scalar}`;
}

function reflectKind(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return { object: 'map', array: 'slice' }[goKind(value)] ?? goKind(value);
}

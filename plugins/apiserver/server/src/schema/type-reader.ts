import type { FieldSchema, ScalarKind, TypeRef, TypeSchema } from '@kubernel/sdk';
import { elementGoType } from './expand.ts';
import type { Pass } from './reading.ts';
import { IRREGULAR, isObject, Unreadable, wrong } from './reading.ts';
import { quantityReader, scalarReader } from './scalar-reader.ts';
import { setOwn } from './untyped.ts';

/**
 * Readers: compiled once per type, they turn a parsed JSON value into what Go would write after having read it: fields in Go
 * order, empty ones left out or written as zero values, quantities, times and bytes in canonical form.
 */
export type Read = (value: unknown, pass: Pass) => unknown;

/** Finds the reader of a type by its full name. */
export type ReaderOf = (type: string) => StructReader;

/** Groups whose objects upstream stores as JSON, which keeps empty lists. */
const STORED_AS_JSON = /^(apiextensions|apiregistration)\./;

interface Slot {
  readonly name: string;
  readonly field: FieldSchema;
  readonly read: Read;
  /** What stands for a value that is missing or null; undefined: the field is left out. */
  readonly missing: (() => unknown) | undefined;
  readonly omitIf: ((value: unknown) => boolean) | undefined;
  readonly isCollection: boolean;
  /** Upstream's storage does not tell an empty list or map from a missing one: what comes back is null. */
  readonly emptyIsMissing: boolean;
}

export class StructReader {
  readonly schema: TypeSchema;
  /** As decode errors name it: `Container`. */
  readonly goName: string;
  readonly #slots: Slot[] = [];
  readonly #byName = new Map<string, Slot>();
  readonly #readerOf: ReaderOf;
  #zeroIsEmpty: boolean | undefined;

  constructor(schema: TypeSchema, readerOf: ReaderOf) {
    this.schema = schema;
    this.goName = schema.name.slice(schema.name.lastIndexOf('.') + 1);
    this.#readerOf = readerOf;
    for (const field of schema.fields.values()) {
      const slot = this.#slot(field);
      this.#slots.push(slot);
      this.#byName.set(field.name, slot);
    }
  }

  #slot(field: FieldSchema): Slot {
    const read = readerFor(field.type, field.goType, this.#readerOf);
    const empty = emptinessOf(field);
    const isCollection = field.type.kind === 'list' || field.type.kind === 'map';
    return {
      name: field.name,
      field,
      read,
      missing: missingOf(field, this.#readerOf),
      omitIf: field.omitEmpty ? empty : undefined,
      isCollection,
      emptyIsMissing: isCollection && !field.omitEmpty && !field.pointer && field.number > 0 && !STORED_AS_JSON.test(this.schema.name),
    };
  }

  /** The struct with nothing set, as Go writes it. A new object each time. */
  zero(): Record<string, unknown> {
    if (this.#zeroIsEmpty) return {};
    const out: Record<string, unknown> = {};
    for (const { name, missing } of this.#slots) if (missing) out[name] = missing();
    this.#zeroIsEmpty = Object.keys(out).length === 0;
    return out;
  }

  read(value: unknown, pass: Pass): unknown {
    if (!isObject(value)) return this.#wrong(value, pass);
    if (pass.careful) return this.#readCarefully(value, pass);
    const out: Record<string, unknown> = {};
    let used = 0;
    const slots = this.#slots;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as Slot;
      const raw = value[slot.name];
      if (raw === undefined || raw === null) {
        if (raw === null) used++;
        if (slot.missing) out[slot.name] = slot.missing();
        continue;
      }
      used++;
      const read = slot.read(raw, pass);
      if (slot.omitIf?.(read)) {
        if (!pass.keepsEmpty || !slot.isCollection) continue;
        pass.keptEmpty = true;
      }
      out[slot.name] = slot.emptyIsMissing && !pass.keepsEmpty && pass.trusting && isEmptyObject(read) ? null : read;
    }
    if (!pass.trusting && countOf(value) !== used) throw IRREGULAR;
    pass.keys += used;
    return out;
  }

  #readCarefully(value: Record<string, unknown>, pass: Pass): unknown {
    const careful = pass.careful as NonNullable<Pass['careful']>;
    const found = new Map<string, unknown>();
    const seen = new Set<string>();
    for (const key of careful.keysOf(value)) {
      const slot = this.#byName.get(key);
      if (!slot) {
        careful.unknown(key);
        continue;
      }
      if (seen.has(key)) {
        careful.duplicate(key);
        continue;
      }
      seen.add(key);
      const raw = value[key];
      if (raw === null || raw === undefined) continue;
      found.set(
        key,
        careful.inField(this.goName, key, slot.field.via, () => slot.read(raw, pass)),
      );
    }
    const out: Record<string, unknown> = {};
    for (const slot of this.#slots) {
      const read = found.get(slot.name);
      if (read === undefined) {
        if (slot.missing) out[slot.name] = slot.missing();
      } else if (!slot.omitIf?.(read)) {
        out[slot.name] = read;
      } else if (slot.isCollection) {
        pass.keptEmpty = true;
        out[slot.name] = read;
      }
    }
    return out;
  }

  #wrong(value: unknown, pass: Pass): undefined {
    return wrong(value, this.schema.name.split('.').slice(-2).join('.'), pass);
  }
}

function countOf(object: object): number {
  return Object.keys(object).length;
}

/** What Go writes for a field that is not set. */
function missingOf(field: FieldSchema, readerOf: ReaderOf): (() => unknown) | undefined {
  const { type, omitEmpty, pointer } = field;
  if (field.omitZero) return undefined;
  if (pointer) return omitEmpty ? undefined : () => null;
  if (type.kind === 'ref') return () => readerOf(type.name).zero(); // omitempty does not apply to structs
  if (type.kind === 'inline') return () => ({});
  if (type.kind === 'list' || type.kind === 'map') return omitEmpty ? undefined : () => null;
  switch (type.scalar) {
    case 'time':
    case 'microtime':
    case 'raw':
    case 'fieldsv1':
      return () => null;
    case 'any':
      return omitEmpty ? undefined : () => null;
    case 'quantity':
      return () => '0';
    case 'intorstring':
      return () => 0;
    case 'duration':
      return () => '0s';
    case 'bytes':
      return omitEmpty ? undefined : () => null;
    default:
      if (omitEmpty) return undefined;
      return type.scalar === 'string' ? () => '' : type.scalar === 'bool' ? () => false : () => 0;
  }
}

function emptinessOf({ type, pointer, omitZero }: FieldSchema): ((value: unknown) => boolean) | undefined {
  if (pointer && type.kind !== 'list' && type.kind !== 'map') return undefined;
  if (type.kind === 'list') return (value) => (value as unknown[]).length === 0;
  if (type.kind === 'map') return isEmptyObject;
  if (type.kind === 'ref') return omitZero ? isEmptyObject : undefined;
  if (type.kind === 'inline') return undefined;
  switch (type.scalar) {
    case 'string':
    case 'bytes':
      return (value) => value === '';
    case 'bool':
      return (value) => value === false;
    case 'int32':
    case 'int64':
    case 'float64':
      return (value) => value === 0;
    default:
      return undefined;
  }
}

function isEmptyObject(value: unknown): boolean {
  for (const _ in value as object) return false;
  return true;
}

// -------------------------------------------------------------------------------------------------------- readers by type

export function readerFor(type: TypeRef, goType: string, readerOf: ReaderOf): Read {
  switch (type.kind) {
    case 'scalar':
      return type.accepts ? alternativesReader(type.accepts, goType, readerOf) : scalarReader(type.scalar, goType);
    case 'ref': {
      let reader: StructReader | undefined;
      return (value, pass) => {
        reader ??= readerOf(type.name);
        return reader.read(value, pass);
      };
    }
    case 'inline': {
      const reader = new StructReader(type.schema, readerOf);
      return (value, pass) => reader.read(value, pass);
    }
    case 'list':
      return listReader(type.of, goType, readerOf);
    case 'map':
      return mapReader(type.of, goType, readerOf);
  }
}

function listReader(of: TypeRef, goType: string, readerOf: ReaderOf): Read {
  const read = readerFor(of, elementGoType(goType, of), readerOf);
  const zero = zeroOf(of, readerOf);
  return (value, pass) => {
    if (!Array.isArray(value)) return wrong(value, goType, pass);
    const { careful } = pass;
    const out = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (item === null || item === undefined) out[i] = zero();
      else out[i] = careful ? (careful.inItem(i, () => read(item, pass)) ?? zero()) : read(item, pass);
    }
    return out;
  };
}

function mapReader(of: TypeRef, goType: string, readerOf: ReaderOf): Read {
  // resource lists are rounded up to thousandths on their way in, wherever they stand
  const milli = of.kind === 'scalar' && of.scalar === 'quantity' && goType.endsWith('.ResourceList');
  const read = milli ? quantityReader(true) : readerFor(of, elementGoType(goType, of), readerOf);
  const zero = zeroOf(of, readerOf);
  return (value, pass) => {
    if (!isObject(value)) return wrong(value, goType, pass);
    const { careful } = pass;
    const out: Record<string, unknown> = {};
    if (careful) {
      const seen = new Set<string>();
      for (const key of careful.keysOf(value)) {
        if (seen.has(key)) careful.duplicate(key);
        seen.add(key);
      }
    }
    const keys = sortedKeys(value);
    pass.keys += keys.length;
    for (const key of keys) {
      const item = value[key];
      let read1: unknown;
      if (item === null || item === undefined) read1 = pass.trusting && item === undefined ? undefined : zero();
      else read1 = careful ? (careful.inKey(key, () => read(item, pass)) ?? zero()) : read(item, pass);
      if (read1 !== undefined) setOwn(out, key, read1);
    }
    return out;
  };
}

/** Go writes maps sorted by key. */
function sortedKeys(object: object): string[] {
  const keys = Object.keys(object);
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] as string) > (keys[i] as string)) return keys.sort();
  return keys;
}

/** What null stands for inside a list or a map. */
function zeroOf(type: TypeRef, readerOf: ReaderOf): () => unknown {
  if (type.kind === 'ref') return () => readerOf(type.name).zero();
  if (type.kind === 'inline') return () => ({});
  if (type.kind === 'list' || type.kind === 'map') return () => null;
  const zeros: Partial<Record<ScalarKind, unknown>> = {
    string: '',
    bool: false,
    int32: 0,
    int64: 0,
    float64: 0,
    quantity: '0',
    intorstring: 0,
    duration: '0s',
  };
  const zero = zeros[type.scalar] ?? null;
  return () => zero;
}

function alternativesReader(accepts: readonly TypeRef[], goType: string, readerOf: ReaderOf): Read {
  const readers = accepts.map((type) => ({ type, read: readerFor(type, elementGoType('', type), readerOf) }));
  return (value, pass) => {
    const fitting = readers.find(({ type }) => fits(type, value));
    if (!fitting) {
      if (!pass.careful) return wrong(value, goType, pass);
      if (accepts.some((type) => type.kind === 'scalar')) throw new Unreadable('boolean or JSON schema expected');
      return undefined;
    }
    return pass.careful ? pass.careful.silently(() => fitting.read(value, pass)) : fitting.read(value, pass);
  };
}

function fits(type: TypeRef, value: unknown): boolean {
  if (type.kind === 'list') return Array.isArray(value);
  if (type.kind === 'scalar') return type.scalar === 'bool' ? typeof value === 'boolean' : typeof value === type.scalar;
  return isObject(value);
}

/**
 * What managed fields need of a type, compiled once: which values are owned as a whole, which lists are keyed. Fields
 * are sorted by name, so that one walk yields FieldsV1 in its canonical order.
 */
import type { FieldSchema, TypeRef, TypeSchema } from '@kubernel/sdk';
import type { Types } from './types.ts';
import { schemaOf, typeNamed } from './types.ts';

export type Shape = LeafShape | StructShape | MapShape | SetShape | KeyedShape | DeducedShape;

/** A value without parts. `scalar` is what server-side apply accepts there. */
export interface LeafShape {
  kind: 'leaf';
  atomic: true;
  scalar: 'string' | 'boolean' | 'numeric' | 'untyped';
}
/** Whatever JSON: an object is a map of such, anything else one value. {@link concrete} tells which. */
export interface DeducedShape {
  kind: 'deduced';
  atomic: false;
}
export interface StructShape {
  kind: 'struct';
  atomic: boolean;
  fields: StructField[];
  byName: Map<string, StructField>;
  /** Fields that are not in the table are kept and owned one by one (custom resources). */
  open: boolean;
}
export interface StructField {
  name: string;
  /** `f:<name>`. */
  path: string;
  shape: Shape;
  /** How the field stands in an object in which nothing is set; undefined: not at all. */
  zero: unknown;
}
export interface MapShape {
  kind: 'map';
  atomic: boolean;
  of: Shape;
}
export interface SetShape {
  kind: 'set';
  atomic: boolean;
  of: Shape;
}
/** A list of objects told apart by some of their fields. A plain list is one that is atomic. */
export interface KeyedShape {
  kind: 'keyed';
  atomic: boolean;
  of: Shape;
  /** Sorted. */
  keys: readonly KeyField[];
}
export interface KeyField {
  name: string;
  /** Stands for a key field that an element leaves out; undefined: the field is then no part of the key. */
  fallback: string | number | boolean | undefined;
}

const STRING: LeafShape = { kind: 'leaf', atomic: true, scalar: 'string' };
const BOOLEAN: LeafShape = { kind: 'leaf', atomic: true, scalar: 'boolean' };
const NUMERIC: LeafShape = { kind: 'leaf', atomic: true, scalar: 'numeric' };
export const UNTYPED: LeafShape = { kind: 'leaf', atomic: true, scalar: 'untyped' };

const DEDUCED: DeducedShape = { kind: 'deduced', atomic: false };
const DEDUCED_MAP: MapShape = { kind: 'map', atomic: false, of: DEDUCED };

/** What a free-form value is, by what it looks like; another shape is itself. */
export function concrete(shape: Shape, ...values: unknown[]): Exclude<Shape, DeducedShape> {
  if (shape.kind !== 'deduced') return shape;
  const given = values.filter((value) => value !== undefined);
  return given.length > 0 && given.every(isMap) ? DEDUCED_MAP : UNTYPED;
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The shape of an object's member that its type does not name. */
export function memberOf(shape: StructShape | MapShape): Shape {
  return shape.kind === 'map' ? shape.of : DEDUCED;
}

export class Shapes {
  readonly #types: Types;
  readonly #structs = new Map<string, StructShape>();
  readonly #open: boolean;

  /** `open`: free-form parts are owned field by field, as those of custom resources. */
  constructor(types: Types, open = false) {
    this.#types = types;
    this.#open = open;
  }

  /** The shape of a kind; undefined for a type nobody defined. */
  of(type: string): StructShape | undefined {
    const schema = typeNamed(this.#types, type);
    return schema && this.#struct(schema);
  }

  #struct(schema: TypeSchema): StructShape {
    const known = this.#structs.get(schema.name);
    if (known) return known;
    const shape: StructShape = {
      kind: 'struct',
      atomic: schema.atomic === true,
      fields: [],
      byName: new Map(),
      open: schema.preserveUnknown === true,
    };
    // before its fields: types may contain themselves
    if (schema.name !== '') this.#structs.set(schema.name, shape);
    for (const field of schema.fields.values()) {
      shape.fields.push({ name: field.name, path: `f:${field.name}`, shape: this.#field(field), zero: this.#zero(field, 0) });
    }
    shape.fields.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const field of shape.fields) shape.byName.set(field.name, field);
    return shape;
  }

  #field(field: FieldSchema): Shape {
    const { type } = field;
    if (type.kind === 'list') {
      const of = this.#ref(type.of);
      if (field.listType === 'set') return { kind: 'set', atomic: false, of };
      if (field.listType !== 'map') return { kind: 'keyed', atomic: true, of, keys: [] };
      const element = schemaOf(this.#types, type.of);
      const keys = [...(field.listMapKeys ?? [])].sort().map((name) => ({ name, fallback: fallbackOf(element?.fields.get(name)) }));
      return { kind: 'keyed', atomic: false, of, keys };
    }
    const shape = this.#ref(type);
    // What a field says goes before what its type says.
    if (!field.mapType || (shape.kind !== 'map' && shape.kind !== 'struct')) return shape;
    return { ...shape, atomic: field.mapType === 'atomic' };
  }

  #ref(type: TypeRef): Shape {
    if (type.kind === 'list') return { kind: 'keyed', atomic: true, of: this.#ref(type.of), keys: [] };
    if (type.kind === 'map') return { kind: 'map', atomic: false, of: this.#ref(type.of) };
    if (type.kind === 'scalar') return type.scalar === 'any' && !type.accepts && this.#open ? DEDUCED : leafOf(type.scalar);
    const schema = schemaOf(this.#types, type);
    return schema ? this.#struct(schema) : UNTYPED;
  }

  /** Go writes fields without omitempty even when nothing is set. */
  #zero(field: FieldSchema, depth: number): unknown {
    // A struct that is no pointer is never empty to Go, whatever its tag says; times and quantities are structs.
    const { type } = field;
    const struct =
      !field.pointer && (type.kind === 'ref' || type.kind === 'inline' || (type.kind === 'scalar' && GO_STRUCTS.has(type.scalar)));
    if (field.omitZero || (field.omitEmpty && !struct) || depth > 20) return undefined;
    if (field.pointer || field.type.kind === 'list' || field.type.kind === 'map') return null;
    if (field.type.kind === 'scalar') return zeroOf(field.type.scalar);
    const schema = schemaOf(this.#types, field.type);
    const zero: Record<string, unknown> = {};
    for (const inner of schema?.fields.values() ?? []) {
      const value = this.#zero(inner, depth + 1);
      if (value !== undefined) zero[inner.name] = value;
    }
    return zero;
  }
}

const GO_STRUCTS: ReadonlySet<string> = new Set(['time', 'microtime', 'duration', 'quantity', 'intorstring', 'raw']);

function leafOf(scalar: string): LeafShape {
  if (scalar === 'string' || scalar === 'bytes') return STRING;
  if (scalar === 'bool') return BOOLEAN;
  return /^(int|float)\d/.test(scalar) ? NUMERIC : UNTYPED;
}

function zeroOf(scalar: string): unknown {
  if (scalar === 'string') return '';
  if (scalar === 'bool') return false;
  if (scalar === 'quantity') return '0';
  if (scalar === 'duration') return '0s';
  if (scalar === 'intorstring' || /^(int|float)\d/.test(scalar)) return 0;
  return null;
}

function fallbackOf(field: FieldSchema | undefined): KeyField['fallback'] {
  if (!field) return undefined;
  if (field.default !== undefined) return field.default as KeyField['fallback'];
  if (field.omitEmpty || field.pointer || field.type.kind !== 'scalar') return undefined;
  const zero = zeroOf(field.type.scalar);
  return zero === null ? undefined : (zero as KeyField['fallback']);
}

/** An object of this shape in which nothing is set: what a new object is compared with. */
export function zeroObject(shape: StructShape): Record<string, unknown> {
  const zero: Record<string, unknown> = {};
  for (const { name, zero: value } of shape.fields) if (value !== undefined) zero[name] = value;
  return zero;
}

/** The path element of a list's element: `k:{"name":"web"}` or `v:"x"`. An element without its key fields has an empty key. */
export function elementPath(shape: KeyedShape | SetShape, item: unknown): string {
  if (shape.kind === 'set') return `v:${JSON.stringify(item)}`;
  if (shape.keys.length === 1) {
    const [{ name, fallback }] = shape.keys as [KeyField];
    const value = keyValue(item, name, fallback);
    return value === undefined ? 'k:{}' : `k:{${JSON.stringify(name)}:${JSON.stringify(value)}}`;
  }
  const key: Record<string, unknown> = {};
  for (const { name, fallback } of shape.keys) {
    const value = keyValue(item, name, fallback);
    if (value !== undefined) key[name] = value;
  }
  return `k:${JSON.stringify(key)}`;
}

function keyValue(item: unknown, name: string, fallback: KeyField['fallback']): unknown {
  const value = typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[name] : undefined;
  return value ?? fallback;
}

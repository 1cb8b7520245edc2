import type { FieldSchema, TypeRef, TypeSchema } from '@kubernel/sdk';
import { formatDuration } from '@kubernel/sdk/api';
import { setOwn } from './untyped.ts';

/** Protobuf to objects in their JSON form. Unknown fields are skipped. Throws a SyntaxError for what is no message. */

const MAX_DEPTH = 200;

export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.#at >= this.end;
  }

  varint(): number {
    let result = 0;
    let factor = 1;
    for (let shift = 0; shift < 64; shift += 7) {
      if (this.#at >= this.end) throw new SyntaxError('unexpected EOF');
      const byte = this.#bytes[this.#at++] as number;
      if (shift === 49 && byte > 0x0f) return this.#longVarint(result, byte);
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) return result;
      factor *= 0x80;
    }
    throw new SyntaxError('proto: integer overflow');
  }

  /** Beyond 53 bits: mostly negative numbers, which have all 64. */
  #longVarint(low: number, eighth: number): number {
    let value = BigInt(low) | (BigInt(eighth & 0x7f) << 49n);
    let byte = eighth;
    for (let shift = 56n; byte >= 0x80; shift += 7n) {
      if (shift > 63n) throw new SyntaxError('proto: integer overflow');
      if (this.#at >= this.end) throw new SyntaxError('unexpected EOF');
      byte = this.#bytes[this.#at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
    }
    return Number(BigInt.asIntN(64, value));
  }

  double(): number {
    if (this.#at + 8 > this.end) throw new SyntaxError('unexpected EOF');
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    if (length < 0) throw new SyntaxError('proto: negative length found during unmarshaling');
    if (this.#at + length > this.end) throw new SyntaxError('unexpected EOF');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  string(): string {
    const bytes = this.bytes();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  }

  message(): ProtoReader {
    const length = this.varint();
    if (length < 0) throw new SyntaxError('proto: negative length found during unmarshaling');
    if (this.#at + length > this.end) throw new SyntaxError('unexpected EOF');
    this.#at += length;
    return new ProtoReader(this.#bytes, this.#at - length, this.#at);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#at += 8;
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.#at += 4;
    else throw new SyntaxError(`proto: illegal wireType ${wireType}`);
    if (this.#at > this.end) throw new SyntaxError('unexpected EOF');
  }
}

type Message = Record<string, unknown>;
type ReadValue = (reader: ProtoReader, wireType: number, depth: number) => unknown;
type ReadField = (target: Message, reader: ProtoReader, wireType: number, depth: number) => void;

export class ProtoDecoder {
  readonly #schemaOf: (type: string) => TypeSchema;
  readonly #types = new Map<string, Map<number, ReadField>>();

  constructor(schemaOf: (type: string) => TypeSchema) {
    this.#schemaOf = schemaOf;
  }

  decode(type: string, bytes: Uint8Array): Message {
    return this.#message(type, new ProtoReader(bytes), 0);
  }

  #message(type: string, reader: ProtoReader, depth: number): Message {
    let fields = this.#types.get(type);
    if (!fields) {
      fields = this.#fields([...this.#schemaOf(type).fields.values()], 0);
      this.#types.set(type, fields);
    }
    const target: Message = {};
    readInto(target, reader, fields, depth);
    return target;
  }

  #fields(list: FieldSchema[], level: number): Map<number, ReadField> {
    const fields = new Map<number, ReadField>();
    const embedded = new Map<number, FieldSchema[]>();
    for (const field of list) {
      const within = field.within?.[level];
      if (within !== undefined) embedded.set(within, [...(embedded.get(within) ?? []), field]);
      else if (field.number > 0) fields.set(field.number, this.#field(field));
    }
    for (const [number, group] of embedded) {
      const inner = this.#fields(group, level + 1);
      fields.set(number, (target, reader, _wireType, depth) => readInto(target, reader.message(), inner, depth + 1));
    }
    return fields;
  }

  #field({ name, type, goType }: FieldSchema): ReadField {
    if (type.kind === 'list' && !/\.(ExtraValue|Verbs)$/.test(goType)) {
      const read = this.#value(type.of);
      const packable = type.of.kind === 'scalar' && /^(int32|int64|bool|float64)$/.test(type.of.scalar);
      return (target, reader, wireType, depth) => {
        const list = (target[name] ??= []) as unknown[];
        if (!packable || wireType !== 2) {
          list.push(read(reader, wireType, depth));
          return;
        }
        const packed = reader.message();
        while (!packed.done) list.push(read(packed, 0, depth));
      };
    }
    if (type.kind === 'map') {
      const read = this.#value(type.of);
      return (target, reader, _wireType, depth) => {
        const entry = reader.message();
        let key = '';
        let value: unknown;
        while (!entry.done) {
          const tag = entry.varint();
          if (tag >>> 3 === 1) key = entry.string();
          else if (tag >>> 3 === 2) value = read(entry, tag & 7, depth + 1);
          else entry.skip(tag & 7);
        }
        setOwn((target[name] ??= {}) as Message, key, value ?? zeroOf(type.of));
      };
    }
    const read = this.#value(type);
    return (target, reader, wireType, depth) => {
      target[name] = read(reader, wireType, depth);
    };
  }

  #value(type: TypeRef): ReadValue {
    if (type.kind === 'ref') return (reader, _wireType, depth) => this.#message(type.name, nested(reader, depth), depth + 1);
    if (type.kind === 'list') {
      const read = this.#value(type.of);
      return (reader, _wireType, depth) => items(reader.message(), 1, (item, wireType) => read(item, wireType, depth + 1));
    }
    if (type.kind !== 'scalar') throw new TypeError('inline types have no protobuf form');
    switch (type.scalar) {
      case 'string':
        return (reader) => reader.string();
      case 'bool':
        return (reader) => reader.varint() !== 0;
      case 'int32':
        return (reader) => reader.varint() | 0;
      case 'int64':
        return (reader) => reader.varint();
      case 'float64':
        return (reader) => reader.double();
      case 'bytes':
        return (reader) => Buffer.from(reader.bytes()).toString('base64');
      case 'time':
        return (reader) => readTime(reader.message(), 0);
      case 'microtime':
        return (reader) => readTime(reader.message(), 6);
      case 'duration':
        return (reader) => formatDuration(BigInt(numbers(reader.message())[1] ?? 0));
      case 'quantity':
        return (reader) => texts(reader.message())[1] || '0';
      case 'intorstring':
        return readIntOrString;
      case 'any':
        return type.accepts ? this.#alternatives(type.accepts) : readRaw;
      default:
        return readRaw;
    }
  }

  #alternatives(accepts: readonly TypeRef[]): ReadValue {
    const schema = accepts.find((type) => type.kind === 'ref');
    const list = accepts.find((type) => type.kind === 'list');
    const orBool = accepts.some((type) => type.kind === 'scalar');
    const schemaNumber = orBool ? 2 : 1;
    const readItem = list?.kind === 'list' ? this.#value(list.of) : undefined;
    return (outer, _wireType, depth) => {
      const reader = nested(outer, depth);
      let result: unknown = orBool ? false : undefined;
      while (!reader.done) {
        const tag = reader.varint();
        const number = tag >>> 3;
        if (number === schemaNumber && schema?.kind === 'ref') result = this.#message(schema.name, nested(reader, depth), depth + 1);
        else if (orBool && number === 1) result = reader.varint() !== 0;
        else if (number === 2 && readItem) result = [...(Array.isArray(result) ? result : []), readItem(reader, tag & 7, depth + 1)];
        else reader.skip(tag & 7);
      }
      return result;
    };
  }
}

function nested(reader: ProtoReader, depth: number): ProtoReader {
  if (depth > MAX_DEPTH) throw new SyntaxError('exceeded max depth');
  return reader.message();
}

function readInto(target: Message, reader: ProtoReader, fields: Map<number, ReadField>, depth: number): void {
  while (!reader.done) {
    const tag = reader.varint();
    const wireType = tag & 7;
    if (wireType === 4) throw new SyntaxError('proto: wiretype end group for non-group');
    const field = fields.get(Math.floor(tag / 8));
    if (field) field(target, reader, wireType, depth);
    else reader.skip(wireType);
  }
}

function items(reader: ProtoReader, number: number, read: (reader: ProtoReader, wireType: number) => unknown): unknown[] {
  const list: unknown[] = [];
  while (!reader.done) {
    const tag = reader.varint();
    if (tag >>> 3 === number) list.push(read(reader, tag & 7));
    else reader.skip(tag & 7);
  }
  return list;
}

/** The varint fields of a small message, by number. */
function numbers(reader: ProtoReader): number[] {
  const found: number[] = [];
  while (!reader.done) {
    const tag = reader.varint();
    if ((tag & 7) === 0) found[tag >>> 3] = reader.varint();
    else reader.skip(tag & 7);
  }
  return found;
}

/** The text fields of a small message, by number. */
function texts(reader: ProtoReader): string[] {
  const found: string[] = [];
  while (!reader.done) {
    const tag = reader.varint();
    if ((tag & 7) === 2) found[tag >>> 3] = reader.string();
    else reader.skip(tag & 7);
  }
  return found;
}

/** An empty message is the zero time, which JSON writes as null. */
function readTime(reader: ProtoReader, fractionDigits: number): string | null {
  if (reader.done) return null;
  const [, seconds = 0, nanos = 0] = numbers(reader);
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw new SyntaxError('proto: time out of range');
  const fraction = fractionDigits ? `.${String(nanos).padStart(9, '0').slice(0, fractionDigits)}` : '';
  return `${date.toISOString().slice(0, 19)}${fraction}Z`;
}

const readIntOrString: ReadValue = (outer) => {
  const reader = outer.message();
  let isText = false;
  let number = 0;
  let text = '';
  while (!reader.done) {
    const tag = reader.varint();
    if (tag >>> 3 === 1) isText = reader.varint() === 1;
    else if (tag >>> 3 === 2) number = reader.varint() | 0;
    else if (tag >>> 3 === 3) text = reader.string();
    else reader.skip(tag & 7);
  }
  return isText ? text : number;
};

/** Free-form JSON, as bytes. */
const readRaw: ReadValue = (reader) => {
  const text = texts(reader.message())[1];
  return text ? (JSON.parse(text) as unknown) : null;
};

function zeroOf(type: TypeRef): unknown {
  if (type.kind === 'ref') return {};
  if (type.kind !== 'scalar') return [];
  if (type.scalar === 'quantity') return '0';
  if (type.scalar === 'string' || type.scalar === 'bytes') return '';
  return type.scalar === 'bool' ? false : type.scalar === 'time' || type.scalar === 'microtime' ? null : 0;
}

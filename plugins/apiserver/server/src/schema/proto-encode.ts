import type { FieldSchema, TypeRef, TypeSchema } from '@kubernel/sdk';
import { parseDurationNs } from '@kubernel/sdk/api';
import { toSecondsAndNanos } from './go-time.ts';
import { ProtoWriter } from './proto-writer.ts';

/**
 * Objects to protobuf, byte for byte as upstream's generated code writes them: fields by number, values that are no pointers always
 * written, maps sorted by key.
 */
type WriteField = (writer: ProtoWriter, value: unknown) => void;
type WriteBody = (writer: ProtoWriter, value: unknown) => void;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

interface Part {
  number: number;
  write: (writer: ProtoWriter, object: Record<string, unknown> | undefined) => void;
}

export class ProtoEncoder {
  readonly #schemaOf: (type: string) => TypeSchema;
  readonly #bodies = new Map<string, WriteBody>();

  constructor(schemaOf: (type: string) => TypeSchema) {
    this.#schemaOf = schemaOf;
  }

  /** The message of a type, without envelope. */
  encode(type: string, object: unknown): Buffer {
    const writer = new ProtoWriter();
    this.#body(type)(writer, object);
    return writer.finish();
  }

  #body(type: string): WriteBody {
    let body = this.#bodies.get(type);
    if (!body) {
      let parts: Part[] | undefined;
      body = (writer, value) => {
        parts ??= this.#parts([...this.#schemaOf(type).fields.values()], 0);
        for (const part of parts) part.write(writer, value as Record<string, unknown> | undefined);
      };
      this.#bodies.set(type, body);
    }
    return body;
  }

  /** The fields of a message, last number first. Inlined Go structs are messages of their own, under one number. */
  #parts(fields: FieldSchema[], depth: number): Part[] {
    const parts: Part[] = [];
    const embedded = new Map<number, FieldSchema[]>();
    for (const field of fields) {
      const within = field.within?.[depth];
      if (within !== undefined) {
        const group = embedded.get(within);
        if (group) group.push(field);
        else embedded.set(within, [field]);
      } else if (field.number > 0) {
        const write = this.#field(field);
        parts.push({ number: field.number, write: (writer, object) => write(writer, object?.[field.name]) });
      }
    }
    for (const [number, group] of embedded) {
      const inner = this.#parts(group, depth + 1);
      parts.push({
        number,
        write: (writer, object) => {
          const end = writer.mark();
          for (const part of inner) part.write(writer, object);
          writer.varint(writer.mark() - end);
          writer.tag(number, BYTES);
        },
      });
    }
    return parts.sort((a, b) => b.number - a.number);
  }

  #field({ type, number, pointer, goType }: FieldSchema): WriteField {
    if (type.kind === 'list' && !isWrapped(goType)) {
      const write = this.#single(type.of, number, elementName(goType));
      return (writer, value) => {
        if (!Array.isArray(value)) return;
        for (let i = value.length - 1; i >= 0; i--) write(writer, value[i]);
      };
    }
    if (type.kind === 'map') {
      const writeValue = this.#single(type.of, 2, elementName(goType));
      return (writer, value) => {
        if (typeof value !== 'object' || value === null) return;
        for (const key of Object.keys(value).sort().reverse()) {
          const end = writer.mark();
          writeValue(writer, (value as Record<string, unknown>)[key]);
          writer.string(key);
          writer.tag(1, BYTES);
          writer.varint(writer.mark() - end);
          writer.tag(number, BYTES);
        }
      };
    }
    const write = this.#single(type, number, goType);
    const optional = pointer || (type.kind === 'scalar' && type.scalar === 'bytes') || type.kind === 'list';
    return (writer, value) => {
      if (optional && (value === undefined || value === null)) return;
      write(writer, value);
    };
  }

  /** One value with its tag; what is missing is written as zero. */
  #single(type: TypeRef, number: number, goType: string): WriteField {
    if (type.kind === 'list') return this.#message(number, wrappedList(this.#single(type.of, 1, elementName(goType))));
    if (type.kind === 'ref') return this.#message(number, this.#body(type.name));
    if (type.kind === 'scalar') {
      switch (type.scalar) {
        case 'string':
          return (writer, value) => {
            writer.string(typeof value === 'string' ? value : '');
            writer.tag(number, BYTES);
          };
        case 'bool':
          return (writer, value) => {
            writer.varint(value === true ? 1 : 0);
            writer.tag(number, VARINT);
          };
        case 'int32':
        case 'int64':
          return (writer, value) => {
            writer.varint(typeof value === 'number' ? value : 0);
            writer.tag(number, VARINT);
          };
        case 'float64':
          return (writer, value) => {
            writer.double(typeof value === 'number' ? value : 0);
            writer.tag(number, FIXED64);
          };
        case 'bytes':
          return (writer, value) => {
            writer.bytes(typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0));
            writer.tag(number, BYTES);
          };
        case 'time':
        case 'microtime':
          return this.#message(number, writeTime);
        case 'duration':
          return this.#message(number, writeDuration);
        case 'quantity':
          return this.#message(number, writeQuantity);
        case 'intorstring':
          return this.#message(number, writeIntOrString);
        case 'raw':
        case 'fieldsv1':
          return this.#message(number, writeRaw);
        case 'any':
          return this.#message(number, type.accepts ? this.#alternatives(type.accepts) : writeRaw);
      }
    }
    throw new TypeError('inline types have no protobuf form');
  }

  #message(number: number, body: WriteBody): WriteField {
    return (writer, value) => {
      const end = writer.mark();
      body(writer, value ?? undefined);
      writer.varint(writer.mark() - end);
      writer.tag(number, BYTES);
    };
  }

  /** JSONSchemaPropsOrBool {allows, schema}, OrArray {schema, schemas}, OrStringArray {schema, property}. */
  #alternatives(accepts: readonly TypeRef[]): WriteBody {
    const schema = accepts.find((type) => type.kind === 'ref');
    if (schema?.kind !== 'ref') return writeRaw;
    const orBool = accepts.some((type) => type.kind === 'scalar');
    const list = accepts.find((type) => type.kind === 'list');
    const writeSchema = this.#message(orBool ? 2 : 1, this.#body(schema.name));
    const writeItem = list?.kind === 'list' ? this.#single(list.of, 2, '') : undefined;
    return (writer, value) => {
      const isSchema = typeof value === 'object' && value !== null && !Array.isArray(value);
      if (Array.isArray(value)) for (let i = value.length - 1; i >= 0; i--) writeItem?.(writer, value[i]);
      if (isSchema) writeSchema(writer, value);
      if (!orBool) return;
      writer.varint(isSchema || value === true ? 1 : 0);
      writer.tag(1, VARINT);
    };
  }
}

/** Named Go slices that are protobuf messages with one field. */
function isWrapped(goType: string): boolean {
  return goType.endsWith('.ExtraValue') || goType.endsWith('.Verbs');
}

function elementName(goType: string): string {
  return goType.replace(/^(\[\]|map\[[^\]]*\])/, '');
}

function wrappedList(write: WriteField): WriteBody {
  return (writer, value) => {
    if (!Array.isArray(value)) return;
    for (let i = value.length - 1; i >= 0; i--) write(writer, value[i]);
  };
}

const writeTime: WriteBody = (writer, value) => {
  if (typeof value !== 'string') return;
  const { seconds, nanos } = toSecondsAndNanos(value);
  writer.varint(nanos);
  writer.tag(2, VARINT);
  writer.varint(seconds);
  writer.tag(1, VARINT);
};

const writeDuration: WriteBody = (writer, value) => {
  writer.varint(Number(typeof value === 'string' ? (parseDurationNs(value) ?? 0n) : 0n));
  writer.tag(1, VARINT);
};

const writeQuantity: WriteBody = (writer, value) => {
  writer.string(typeof value === 'string' ? value : '0');
  writer.tag(1, BYTES);
};

const writeIntOrString: WriteBody = (writer, value) => {
  const isText = typeof value === 'string';
  writer.string(isText ? value : '');
  writer.tag(3, BYTES);
  writer.varint(typeof value === 'number' ? value : 0);
  writer.tag(2, VARINT);
  writer.varint(isText ? 1 : 0);
  writer.tag(1, VARINT);
};

const writeRaw: WriteBody = (writer, value) => {
  if (value === undefined) return;
  writer.string(JSON.stringify(value));
  writer.tag(1, BYTES);
};

import type { ValidationContext } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { FieldErrors, FieldPath, KubeObject } from '@kubernel/sdk/api';
import { isObject } from '@kubernel/sdk/structural';
import type { Codec, Decoded, DecodeTarget } from '../codec.ts';
import type { Resource } from '../registry.ts';
import { bodyKindOf } from '../schema/body-kind.ts';
import { parseExactly } from '../schema/exact-json.ts';
import { IRREGULAR, Pass } from '../schema/reading.ts';
import { countKeys, DecodeFailure, type SchemaCodec, unrecognized } from '../schema/schema-codec.ts';
import type { CustomType, CustomTypes } from './custom-type.ts';

const META = 'meta.v1.ObjectMeta';

/** The codec of the built-in types, and beside it the one of custom resources: JSON of which only metadata has a Go type. */
export class CustomCodec implements Codec {
  readonly #builtIn: SchemaCodec;
  readonly #custom: CustomTypes;
  readonly decodeProtobuf: Codec['decodeProtobuf'];

  constructor(builtIn: SchemaCodec, custom: CustomTypes) {
    this.#builtIn = builtIn;
    this.#custom = custom;
    this.decodeProtobuf = (target, bytes) => builtIn.decodeProtobuf(target, bytes);
  }

  encodeProtobuf(target: DecodeTarget, text: string): Uint8Array | undefined {
    return this.#custom.has(target.type) ? undefined : this.#builtIn.encodeProtobuf(target, text);
  }

  encodeProtobufEvent(target: DecodeTarget, eventType: string, text: string): Uint8Array | undefined {
    return this.#custom.has(target.type) ? undefined : this.#builtIn.encodeProtobufEvent(target, eventType, text);
  }

  decode(target: DecodeTarget, text: string): Decoded {
    const type = this.#custom.get(target.type);
    if (!type) return this.#builtIn.decode(target, text);
    let value: unknown;
    let keysOf: (object: object) => readonly string[] = Object.keys;
    try {
      value = JSON.parse(text);
      // Repeated keys leave no trace in a parsed value.
      if (countKeys(text) !== keysIn(value)) keysOf = exactKeys(text, value);
    } catch {
      try {
        parseExactly(text);
      } catch (error) {
        throw unrecognized(target, `couldn't get version/kind; json parse error: ${(error as Error).message}`, text);
      }
      throw unrecognized(target, "couldn't get version/kind; json parse error: exceeded max depth", text);
    }
    return this.#decode(type, target, value, text, keysOf === Object.keys ? [] : duplicates(value, keysOf));
  }

  decodeValue(target: DecodeTarget, value: unknown, source?: string): Decoded {
    const type = this.#custom.get(target.type);
    if (!type) return this.#builtIn.decodeValue(target, value, source);
    return this.#decode(type, target, value, source ?? JSON.stringify(value) ?? '', []);
  }

  #decode(type: CustomType, target: DecodeTarget, value: unknown, text: string, problems: string[]): Decoded {
    const said = bodyKindOf({ value, keysOf: Object.keys }, target);
    if ('refused' in said) throw unrecognized(target, `couldn't get version/kind; json parse error: ${said.refused}`, text);
    if (!isObject(value) || typeof value.kind !== 'string' || value.kind === '')
      throw unrecognized(target, `Object 'Kind' is missing in '${text}'`, text);
    const { kind, apiVersion = '', metadata, ...rest } = value as { kind: string; apiVersion?: string; metadata?: unknown };
    const object = { kind, apiVersion, metadata: this.#metadata(type, metadata, problems), ...rest } as unknown as KubeObject;
    const given = apiVersion === target.apiVersion ? type : this.#sibling(type, apiVersion);
    for (const path of given ? given.prune(object) : Object.keys(rest).sort()) problems.push(`unknown field ${JSON.stringify(path)}`);
    if (apiVersion !== target.apiVersion) {
      const why = `the API version in the data (${apiVersion}) does not match the expected API version (${target.apiVersion})`;
      throw Object.assign(new StatusError(400, 'BadRequest', why), { problems });
    }
    return { object, problems };
  }

  /** Another version of the same custom resource. */
  #sibling(type: CustomType, apiVersion: string): CustomType | undefined {
    for (const other of this.#custom.values()) if (other.kind === type.kind && other.apiVersion === apiVersion) return other;
    return undefined;
  }

  #metadata(type: CustomType, metadata: unknown, problems: string[]): unknown {
    if (metadata === undefined || metadata === null) return {};
    try {
      return this.#builtIn.types.reader(META).read(metadata, new Pass(false));
    } catch (error) {
      if (error !== IRREGULAR) throw error;
    }
    try {
      const read = this.#builtIn.read(META, { value: metadata, keysOf: Object.keys });
      for (const problem of read.problems) problems.push(problem.replace('"', '"metadata.'));
      return read.object;
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      const why = `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: ${error.message}`;
      throw new StatusError(400, 'BadRequest', why);
    }
  }

  applyDefaults(type: string, object: KubeObject): void {
    const custom = this.#custom.get(type);
    if (custom) custom.applyDefaults(object);
    else this.#builtIn.applyDefaults(type, object);
  }

  normalize(type: string, object: KubeObject): KubeObject {
    const custom = this.#custom.get(type);
    if (!custom) return this.#builtIn.normalize(type, object);
    const { kind, apiVersion, metadata, ...rest } = object;
    const normal = { kind, apiVersion, metadata: this.#builtIn.normalize(META, metadata as unknown as KubeObject), ...rest };
    // What the stored version does not know is lost, and the client is told so by the answer.
    return (custom.stored ? custom.fromStored(custom.toStored(normal as unknown as KubeObject)) : normal) as unknown as KubeObject;
  }

  normalizeStored(resource: Resource, object: KubeObject): KubeObject {
    return resource.keepsTypeMeta ? object : this.#builtIn.normalizeStored(resource, object);
  }

  validate(type: string, value: unknown, path: FieldPath, errors: FieldErrors, context: ValidationContext): void {
    this.#builtIn.validate(type, value, path, errors, context);
  }
}

function keysIn(root: unknown): number {
  let keys = 0;
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (typeof value !== 'object' || value === null) continue;
    const values = Object.values(value);
    if (!Array.isArray(value)) keys += values.length;
    for (const item of values) if (typeof item === 'object') stack.push(item);
  }
  return keys;
}

/** The keys of each object as they stand in the text, for the same objects as JSON.parse made. */
function exactKeys(text: string, parsed: unknown): (object: object) => readonly string[] {
  const exact = parseExactly(text);
  const known = new Map<object, readonly string[]>();
  const pair = (a: unknown, b: unknown): void => {
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return;
    if (!Array.isArray(b)) known.set(a, exact.keysOf(b));
    for (const [key, item] of Object.entries(a)) pair(item, (b as Record<string, unknown>)[key]);
  };
  pair(parsed, exact.value);
  return (object) => known.get(object) ?? Object.keys(object);
}

function duplicates(root: unknown, keysOf: (object: object) => readonly string[]): string[] {
  const found: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(item, `${path}[${index}]`);
      return;
    }
    const seen = new Set<string>();
    for (const key of keysOf(value)) {
      const at = path ? `${path}.${key}` : key;
      if (seen.has(key)) {
        const text = `duplicate field ${JSON.stringify(at)}`;
        if (!found.includes(text)) found.push(text);
        continue;
      }
      seen.add(key);
      walk((value as Record<string, unknown>)[key], at);
    }
  };
  walk(root, '');
  return found;
}

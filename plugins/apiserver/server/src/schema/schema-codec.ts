import type { ApiGroup, ResourceDefinition, ValidationContext } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { FieldErrors, FieldPath, KubeObject } from '@kubernel/sdk/api';
import type { Codec, Decoded, DecodeTarget } from '../codec.ts';
import type { BodyKind } from './body-kind.ts';
import { bodyKindOf, bodySummary, KindCatalog, versionRefusal } from './body-kind.ts';
import { Defaulting } from './defaulting.ts';
import type { ExactDocument } from './exact-json.ts';
import { parseExactly } from './exact-json.ts';
import { ProtoDecoder } from './proto-decode.ts';
import { ProtoEncoder } from './proto-encode.ts';
import { unwrap, watchFrame, wrap } from './proto-envelope.ts';
import { CarefulReading, IRREGULAR, Pass, Unreadable } from './reading.ts';
import { TypeRegistry } from './type-registry.ts';

/** {@link Codec} from the type tables of the loaded API groups. Safe for any input; keeps no reference to it, but for free-form JSON. */
export class SchemaCodec implements Codec {
  readonly types: TypeRegistry;
  readonly #defaulting: Defaulting;
  readonly #kinds: KindCatalog;
  readonly #storedTypes = new Map<string, string>();
  readonly #protoDecoder: ProtoDecoder;
  readonly #protoEncoder: ProtoEncoder;

  constructor(groups: Iterable<ApiGroup>) {
    const list = [...groups];
    this.types = new TypeRegistry(list);
    this.#defaulting = new Defaulting(this.types);
    this.#kinds = new KindCatalog(list);
    this.#protoDecoder = new ProtoDecoder(this.types.schema);
    this.#protoEncoder = new ProtoEncoder(this.types.schema);
    for (const { resources } of list) {
      for (const { group, version, kind, type } of resources) this.#storedTypes.set(`${group}/${version}/${kind}`, type);
    }
  }

  decode(target: DecodeTarget, text: string): Decoded {
    const plain = this.#readPlain(target.type, text);
    if (plain && plain.object.kind === target.kind && plain.object.apiVersion === target.apiVersion) return plain;
    let document: ExactDocument;
    try {
      document = parseExactly(text);
    } catch (error) {
      throw unrecognized(target, `couldn't get version/kind; json parse error: ${(error as Error).message}`, text);
    }
    return this.#decodeDocument(target, document, text);
  }

  decodeProtobuf(target: DecodeTarget, bytes: Uint8Array): Decoded {
    let envelope: ReturnType<typeof unwrap>;
    try {
      envelope = unwrap(bytes);
    } catch (error) {
      throw new StatusError(
        400,
        'BadRequest',
        `the object provided is unrecognized (must be of type ${target.kind}): ${(error as Error).message} (${bodySummary(Buffer.from(bytes).toString('latin1'))})`,
      );
    }
    const { apiVersion, kind, raw } = envelope;
    const said = bodyKindOf({ value: { apiVersion, kind }, keysOf: Object.keys }, target);
    if ('refused' in said) throw unrecognized(target, said.refused, '');
    return this.#decodeKind(target, said, (type) => {
      try {
        return { object: this.normalize(type, this.#protoDecoder.decode(type, raw) as unknown as KubeObject), problems: [] };
      } catch (error) {
        if (error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError)
          throw new DecodeFailure(error.message);
        throw error;
      }
    });
  }

  encodeProtobuf(target: DecodeTarget, text: string): Uint8Array | undefined {
    const object = JSON.parse(text) as { kind?: string; apiVersion?: string };
    const kind = object.kind ?? target.kind;
    const apiVersion = object.apiVersion ?? target.apiVersion;
    const type = this.#protoType(target, kind, apiVersion);
    return type === undefined ? undefined : wrap({ apiVersion, kind, raw: this.#protoEncoder.encode(type, object) });
  }

  encodeProtobufEvent(target: DecodeTarget, eventType: string, text: string): Uint8Array | undefined {
    const object = this.encodeProtobuf(target, text);
    return object && watchFrame(eventType, object);
  }

  /** The type whose message an object is, if it has one. */
  #protoType(target: DecodeTarget, kind: string, apiVersion: string): string | undefined {
    const type = this.#typeOfKind(target, kind, apiVersion);
    if (!type || !this.types.has(type)) return undefined;
    for (const field of this.types.schema(type).fields.values()) if (field.number > 0) return type;
    return undefined;
  }

  #typeOfKind(target: DecodeTarget, kind: string, apiVersion: string): string | undefined {
    if (kind === target.kind) return target.type;
    if (kind === `${target.kind}List`) return `${target.type}List`;
    if (apiVersion.startsWith('meta.k8s.io/') || this.types.has(`meta.v1.${kind}`)) return `meta.v1.${kind}`;
    if (apiVersion === 'apidiscovery.k8s.io/v2') return `apidiscovery.v2.${kind}`;
    return this.#kinds.typeNamed(apiVersion, kind);
  }

  /** `source` is the text the value was read from (YAML), for the error message. */
  decodeValue(target: DecodeTarget, value: unknown, source?: string): Decoded {
    return this.#decodeDocument(target, { value, keysOf: Object.keys }, source ?? JSON.stringify(value) ?? '');
  }

  applyDefaults(type: string, object: KubeObject): void {
    this.#defaulting.apply(type, object);
  }

  /** Also for types that are no kinds. Fields the type does not have are dropped. */
  normalize<T extends object = KubeObject>(type: string, object: T): T {
    return this.types.reader(type).read(object, new Pass(true)) as T;
  }

  normalizeStored({ definition }: { definition: ResourceDefinition }, object: KubeObject): KubeObject {
    const { storedAs, group, kind, type } = definition;
    const stored = storedAs && this.#storedTypes.get(`${storedAs.group ?? group}/${storedAs.version}/${kind}`);
    return this.normalize(stored ?? type, object);
  }

  validate(type: string, value: unknown, path: FieldPath, errors: FieldErrors, context: ValidationContext): void {
    this.types.validatorOf(type)?.(value as Record<string, unknown>, path, errors, context);
  }

  /** Everything that is not the plain case; in upstream's order, so that the first complaint is upstream's first. */
  #decodeDocument(target: DecodeTarget, document: ExactDocument, text: string): Decoded {
    const kind = bodyKindOf(document, target);
    if ('refused' in kind) throw unrecognized(target, `couldn't get version/kind; json parse error: ${kind.refused}`, text);
    return this.#decodeKind(target, kind, (type) => this.read(type, document));
  }

  #decodeKind(target: DecodeTarget, kind: BodyKind, read: (type: string) => Decoded): Decoded {
    const refuse = (why: string): StatusError =>
      new StatusError(400, 'BadRequest', `${kind.kind} in version "${kind.version}" cannot be handled as a ${target.kind}: ${why}`);
    const known = this.#kinds.typeOf(kind, target);
    if ('refused' in known) throw refuse(known.refused);
    let decoded: Decoded;
    try {
      decoded = read(known.type);
    } catch (error) {
      throw error instanceof DecodeFailure ? refuse(error.message) : error;
    }
    const conversion = this.#kinds.conversionRefusal(kind, target);
    if (conversion !== undefined) throw refuse(conversion);
    const version = versionRefusal(kind, target);
    if (version !== undefined) throw Object.assign(new StatusError(400, 'BadRequest', version), { problems: decoded.problems });
    decoded.object.kind = target.kind;
    decoded.object.apiVersion = target.apiVersion;
    // kind and apiVersion first, also when the body left them out
    decoded.object = this.types.reader(target.type).read(decoded.object, new Pass(true, undefined, true)) as KubeObject;
    return decoded;
  }

  /** The common case: nothing unknown, nothing repeated, nothing that JavaScript reads otherwise than Go. */
  #readPlain(type: string, text: string): Decoded | undefined {
    if (UNUSUAL_NUMBER.test(text) || SURROGATE_ESCAPE.test(text)) return undefined;
    const pass = new Pass(false);
    try {
      const object = this.types.reader(type).read(JSON.parse(text), pass) as KubeObject;
      return pass.keys === countKeys(text) ? { object, problems: [], keptEmpty: pass.keptEmpty } : undefined;
    } catch (error) {
      if (error === IRREGULAR || error instanceof RangeError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Reads a parsed body with care. Throws a {@link DecodeFailure} with the bare text of what is wrong. */
  read(type: string, { value, keysOf }: ExactDocument): Decoded {
    try {
      const careful = new CarefulReading(keysOf);
      const pass = new Pass(false, careful);
      const object = this.types.reader(type).read(value ?? {}, pass) as KubeObject;
      if (careful.wrongType) throw new DecodeFailure(careful.wrongType);
      return { object, problems: careful.problems, keptEmpty: pass.keptEmpty };
    } catch (error) {
      if (error instanceof Unreadable || error instanceof SyntaxError) throw new DecodeFailure(error.message);
      // recursion in a type that contains itself (JSON schemas)
      if (error instanceof RangeError) throw new DecodeFailure('exceeded max depth');
      throw error;
    }
  }
}

/** The text of what is wrong with a body, without the sentence upstream puts around it. */
export class DecodeFailure extends Error {}

/** A body that is no object of any kind, in the words of upstream's decoder. */
export function unrecognized(target: DecodeTarget, why: string, text: string): StatusError {
  return new StatusError(
    400,
    'BadRequest',
    `the object provided is unrecognized (must be of type ${target.kind}): ${why} (${bodySummary(text)})`,
  );
}

/** Numbers Go and JavaScript do not read or print alike: `1e3`, `1.0`, more than 15 digits. May match inside a string: that only costs time. */
const UNUSUAL_NUMBER = /[:[,\s]-?\d+(?:(?:\.\d+)?[eE][+-]?\d+|\.\d*0|\d{15})\s*[,}\]]/;
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** Keys in a valid JSON text: the strings that a colon follows. */
export function countKeys(text: string): number {
  let keys = 0;
  let start = text.indexOf('"');
  while (start >= 0) {
    let end = text.indexOf('"', start + 1);
    while (text.charCodeAt(end - 1) === 92 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let next = end + 1;
    let code = text.charCodeAt(next);
    while (code === 32 || code === 10 || code === 13 || code === 9) code = text.charCodeAt(++next);
    if (code === 58) keys++;
    start = text.indexOf('"', next);
  }
  return keys;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(quote - 1 - backslashes) === 92) backslashes++;
  return backslashes % 2 === 1;
}

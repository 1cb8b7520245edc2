import type { StatusCause } from '../errors.ts';
import { StatusError } from '../errors.ts';

/**
 * Validation errors with field paths, worded as Kubernetes clients expect them:
 * `spec.containers[0].image: Required value`.
 */

/** A path into an object. Immutable: each step makes a new one; a path is only rendered when there is an error. */
export class FieldPath {
  readonly #parent: FieldPath | undefined;
  readonly #step: string;
  readonly #isIndex: boolean;

  private constructor(parent: FieldPath | undefined, step: string, isIndex: boolean) {
    this.#parent = parent;
    this.#step = step;
    this.#isIndex = isIndex;
  }

  /** `FieldPath.of('spec', 'containers')`; without steps, the root. */
  static of(...steps: string[]): FieldPath {
    let path = new FieldPath(undefined, '', false);
    for (const step of steps) path = path.child(step);
    return path;
  }

  child(...names: string[]): FieldPath {
    let path: FieldPath = this;
    for (const name of names) path = new FieldPath(path, name, false);
    return path;
  }

  index(index: number): FieldPath {
    return new FieldPath(this, String(index), true);
  }

  /** A map's entry: `metadata.labels[app]`. */
  key(key: string): FieldPath {
    return new FieldPath(this, key, true);
  }

  toString(): string {
    const parent = this.#parent?.toString() ?? '';
    if (this.#isIndex) return `${parent}[${this.#step}]`;
    return parent === '' ? this.#step : `${parent}.${this.#step}`;
  }
}

export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

const TITLES: Record<FieldErrorType, string> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueNotFound: 'Not found',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

export interface FieldError {
  type: FieldErrorType;
  field: string;
  /** What follows the field in the message: `Required value: name or generateName is required`. */
  body: string;
}

/** Passed as a value where upstream prints none: `Invalid value: must hold`. */
export const OMIT_VALUE: unique symbol = Symbol('omitted value');

/**
 * A value that is printed as it stands, for what Go prints with its own `String()` or in its own struct form.
 * Anything else goes through {@link printValue}.
 */
export class PrintedValue {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Collects errors in the order they are found. */
export class FieldErrors {
  readonly list: FieldError[] = [];

  get empty(): boolean {
    return this.list.length === 0;
  }

  required(path: FieldPath, detail = ''): void {
    this.#add('FieldValueRequired', path, detail);
  }

  /** `value` is printed as Go would: strings quoted, numbers plain, everything else as JSON; undefined is null. */
  invalid(path: FieldPath, value: unknown, detail: string): void {
    this.#withValue('FieldValueInvalid', path, value, detail);
  }

  /** Supported values are listed in the order given: pass them sorted where upstream does. */
  notSupported(path: FieldPath, value: unknown, supported: readonly string[]): void {
    const values = supported.map(quote).join(', ');
    this.#withValue('FieldValueNotSupported', path, value, supported.length ? `supported values: ${values}` : '');
  }

  duplicate(path: FieldPath, value: unknown, detail = ''): void {
    this.#withValue('FieldValueDuplicate', path, value, detail);
  }

  forbidden(path: FieldPath, detail: string): void {
    this.#add('FieldValueForbidden', path, detail);
  }

  tooLong(path: FieldPath, maxBytes: number): void {
    this.#add('FieldValueTooLong', path, `may not be more than ${maxBytes} bytes`);
  }

  tooMany(path: FieldPath, actual: number, max: number): void {
    this.#withValue('FieldValueTooMany', path, actual, `must have at most ${max} item${max === 1 ? '' : 's'}`);
  }

  notFound(path: FieldPath, value: unknown, detail = ''): void {
    this.#withValue('FieldValueNotFound', path, value, detail);
  }

  typeInvalid(path: FieldPath, value: unknown, detail: string): void {
    this.#withValue('FieldValueTypeInvalid', path, value, detail);
  }

  internal(path: FieldPath, detail: string): void {
    this.#add('InternalError', path, detail);
  }

  /** One {@link invalid} for each message of a name check. */
  invalidEach(path: FieldPath, value: unknown, messages: readonly string[]): void {
    for (const message of messages) this.invalid(path, value, message);
  }

  #withValue(type: FieldErrorType, path: FieldPath, value: unknown, detail: string): void {
    if (value === OMIT_VALUE) {
      this.#add(type, path, detail);
      return;
    }
    const printed = value instanceof PrintedValue ? value.text : printValue(value);
    this.#add(type, path, detail ? `${printed}: ${detail}` : printed);
  }

  #add(type: FieldErrorType, path: FieldPath, detail: string): void {
    this.list.push({ type, field: path.toString(), body: detail ? `${TITLES[type]}: ${detail}` : TITLES[type] });
  }

  /** The 422 a client reads. `kind` and `group` are of the object, not of the field. */
  toStatusError(kind: string, group: string, name: string): StatusError {
    const causes: StatusCause[] = this.list.map(({ type, field, body }) => ({ reason: type, message: body, field }));
    const messages = [...new Set(this.list.map(({ field, body }) => `${field}: ${body}`))];
    const text = messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`;
    const qualified = group ? `${kind}.${group}` : kind;
    return new StatusError(422, 'Invalid', `${qualified} ${quote(name)} is invalid: ${text}`, {
      ...(name ? { name } : {}),
      ...(group ? { group } : {}),
      ...(kind ? { kind } : {}),
      causes,
    });
  }
}

/** A value as Go's API errors print it: `%q` for strings, plain numbers and booleans, JSON for the rest. */
export function printValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  return goJson(sortedMaps(value));
}

/** Go prints maps by key; structs, which have more than strings in them, keep their order. */
function sortedMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedMaps);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.every(([, item]) => typeof item === 'string')) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortedMaps(item)]));
}

/** JSON as Go's encoder writes it: `<`, `>`, `&` and the line separators are escaped. */
export function goJson(value: unknown, indent = 0): string {
  if (value === undefined || value === null) return 'null';
  return JSON.stringify(value, null, indent).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** Go's `%q`: printable Unicode stays, the rest is escaped Go's way. */
export function quote(text: string): string {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const short = SHORT_ESCAPES[char];
    if (short) out += short;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x7f || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) out += char;
    else if (code <= 0xffff) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `${out}"`;
}

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

/** Collects errors in the order they are found. */
export class FieldErrors {
  readonly list: FieldError[] = [];

  get empty(): boolean {
    return this.list.length === 0;
  }

  required(path: FieldPath, detail = ''): void {
    this.#add('FieldValueRequired', path, detail);
  }

  /** `value` is printed as Go's `%#v`-like form upstream uses: strings quoted, objects as JSON. */
  invalid(path: FieldPath, value: unknown, detail: string): void {
    this.#add('FieldValueInvalid', path, `${printed(value)}${detail ? `: ${detail}` : ''}`);
  }

  notSupported(path: FieldPath, value: unknown, supported: readonly string[]): void {
    const values = [...supported].sort().map((item) => JSON.stringify(item)).join(', ');
    this.#add('FieldValueNotSupported', path, `${printed(value)}${supported.length ? `: supported values: ${values}` : ''}`);
  }

  duplicate(path: FieldPath, value: unknown): void {
    this.#add('FieldValueDuplicate', path, printed(value));
  }

  forbidden(path: FieldPath, detail: string): void {
    this.#add('FieldValueForbidden', path, detail);
  }

  tooLong(path: FieldPath, maxBytes: number): void {
    this.#add('FieldValueTooLong', path, `may not be more than ${maxBytes} bytes`);
  }

  tooMany(path: FieldPath, actual: number, max: number): void {
    this.#add('FieldValueTooMany', path, `${actual}: must have at most ${max} item${max === 1 ? '' : 's'}`);
  }

  notFound(path: FieldPath, value: unknown): void {
    this.#add('FieldValueNotFound', path, printed(value));
  }

  typeInvalid(path: FieldPath, value: unknown, detail: string): void {
    this.#add('FieldValueTypeInvalid', path, `${printed(value)}: ${detail}`);
  }

  internal(path: FieldPath, detail: string): void {
    this.#add('InternalError', path, detail);
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
    return new StatusError(422, 'Invalid', `${qualified} ${JSON.stringify(name)} is invalid: ${text}`, {
      ...(name ? { name } : {}),
      ...(group ? { group } : {}),
      kind,
      causes,
    });
  }
}

function printed(value: unknown): string {
  if (value === undefined) return 'null';
  return JSON.stringify(value);
}

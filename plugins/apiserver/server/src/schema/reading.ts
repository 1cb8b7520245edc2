import { NumberText } from './exact-json.ts';

/**
 * One pass over a value. Bodies are first read by an *optimistic* pass, which gives up (throws {@link IRREGULAR}) at the first thing
 * that is not plain; only then a *careful* pass reads them again, with paths, document order and Go's words.
 * A *trusting* pass reads objects that are ours already.
 */
export class Pass {
  /** How many keys of objects were seen; compared with the text to find repeated keys. */
  keys = 0;
  /** An empty list or map was kept that is left out when the object is encoded. */
  keptEmpty = false;
  readonly trusting: boolean;
  readonly careful: CarefulReading | undefined;
  /** What a client gave stays empty, as opposed to missing, until it is encoded: defaults and validation tell the two apart. */
  readonly keepsEmpty: boolean;

  constructor(trusting: boolean, careful?: CarefulReading, keepsEmpty = !trusting) {
    this.trusting = trusting;
    this.careful = careful;
    this.keepsEmpty = keepsEmpty;
  }
}

/** Thrown by an optimistic pass. One object, so that giving up costs no stack trace. */
export const IRREGULAR = new Error('irregular');

/** Ends a careful pass at once: errors of Go types that read themselves (times, quantities) are not collected. */
export class Unreadable extends Error {}

/** Where a careful pass is, and what it found. */
export class CarefulReading {
  /** The first wrong JSON type; reading goes on, as Go's does. */
  wrongType: string | undefined;
  readonly problems: string[] = [];
  readonly keysOf: (object: object) => readonly string[];
  #goStruct = '';
  #goPath = '';
  #path = '';
  #silent = 0;

  constructor(keysOf: (object: object) => readonly string[]) {
    this.keysOf = keysOf;
  }

  inField<T>(goStruct: string, name: string, via: string | undefined, read: () => T): T {
    const saved = [this.#goStruct, this.#goPath, this.#path] as const;
    const step = via ? `${via}.${name}` : name;
    this.#goStruct = goStruct;
    this.#goPath = this.#goPath ? `${this.#goPath}.${step}` : step;
    this.#path = this.#path ? `${this.#path}.${name}` : name;
    const result = read();
    [this.#goStruct, this.#goPath, this.#path] = saved;
    return result;
  }

  inItem<T>(index: number, read: () => T): T {
    const saved = this.#path;
    this.#path = `${saved}[${index}]`;
    const result = read();
    this.#path = saved;
    return result;
  }

  inKey<T>(key: string, read: () => T): T {
    const saved = this.#path;
    this.#path = saved ? `${saved}.${key}` : key;
    const result = read();
    this.#path = saved;
    return result;
  }

  /** Go types that read themselves do not report what they do not know. */
  silently<T>(read: () => T): T {
    this.#silent++;
    const result = read();
    this.#silent--;
    return result;
  }

  unknown(key: string): void {
    this.#problem(`unknown field "${this.#path ? `${this.#path}.` : ''}${key}"`);
  }

  duplicate(key: string): void {
    this.#problem(`duplicate field "${this.#path ? `${this.#path}.` : ''}${key}"`);
  }

  wrong(value: unknown, goType: string): undefined {
    this.wrongType ??= this.#message(jsonKind(value), goType);
    return undefined;
  }

  /** A number that its type cannot hold; the message shows it. */
  wrongNumber(value: unknown, goType: string): undefined {
    this.wrongType ??= this.#message(`number ${numberText(value)}`, goType);
    return undefined;
  }

  /** A wrong type inside a Go type that reads itself. */
  unreadableType(value: unknown, goType: string): never {
    throw new Unreadable(
      this.#message(isNumber(value) && goType.startsWith('int') ? `number ${numberText(value)}` : jsonKind(value), goType),
    );
  }

  #message(what: string, goType: string): string {
    const where = this.#goPath === '' ? 'Go value' : `Go struct field ${this.#goStruct}.${this.#goPath}`;
    return `json: cannot unmarshal ${what} into ${where} of type ${goType}`;
  }

  #problem(text: string): void {
    // upstream stops collecting at a hundred
    if (this.#silent === 0 && this.problems.length < 100 && !this.problems.includes(text)) this.problems.push(text);
  }
}

export function isNumber(value: unknown): value is number | NumberText {
  return typeof value === 'number' || value instanceof NumberText;
}

export function numberText(value: unknown): string {
  return value instanceof NumberText ? value.text : String(value);
}

export function jsonKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof NumberText) return 'number';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

/** A value of another JSON type than its Go type reads. */
export function wrong(value: unknown, goType: string, pass: Pass): undefined {
  if (pass.careful) return pass.careful.wrong(value, goType);
  if (pass.trusting) throw new TypeError(`a ${jsonKind(value)} stands where ${goType} belongs`);
  throw IRREGULAR;
}

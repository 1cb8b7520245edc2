/**
 * A JSON reader for the cases JSON.parse hides: duplicate keys, keys in document order, the text of unusual numbers,
 * and errors in Go's words. Iterative, so that depth is a number to check and not a stack to overflow. About 20 times slower than
 * JSON.parse; only bodies with something to say about them come here.
 */

/** The deepest nesting Go's decoder accepts. */
export const MAX_DEPTH = 10_000;

/** A number whose text is not what JavaScript would print for it: `1.0`, `1e3`, `12345678901234567890`. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  get value(): number {
    return Number(this.text);
  }
}

export interface ExactDocument {
  value: unknown;
  /** The keys of an object as they stand in the text, repetitions included. */
  keysOf(object: object): readonly string[];
}

/** Throws a SyntaxError with Go's words. */
export function parseExactly(text: string): ExactDocument {
  const repeated = new WeakMap<object, string[]>();
  const reader = new Reader(text, repeated);
  return { value: reader.document(), keysOf: (object) => repeated.get(object) ?? Object.keys(object) };
}

interface Frame {
  container: Record<string, unknown> | unknown[];
  keys: string[] | undefined;
  key: string;
}

class Reader {
  readonly #text: string;
  readonly #repeated: WeakMap<object, string[]>;
  #at = 0;

  constructor(text: string, repeated: WeakMap<object, string[]>) {
    this.#text = text;
    this.#repeated = repeated;
  }

  document(): unknown {
    const stack: Frame[] = [];
    let result: unknown;
    for (;;) {
      // one value, or the opening of a container
      this.#space();
      const char = this.#text[this.#at];
      let value: unknown;
      if (char === '{' || char === '[') {
        this.#at++;
        if (stack.length >= MAX_DEPTH) throw new SyntaxError('exceeded max depth');
        const frame: Frame = char === '{' ? { container: {}, keys: [], key: '' } : { container: [], keys: undefined, key: '' };
        this.#space();
        if (this.#text[this.#at] === (char === '{' ? '}' : ']')) {
          this.#at++;
          value = frame.container;
        } else {
          if (frame.keys) this.#key(frame, 'looking for beginning of object key string');
          stack.push(frame);
          continue;
        }
      } else {
        value = this.#scalar(char);
      }
      // put it away, and close what ends here
      for (;;) {
        const frame = stack.at(-1);
        if (!frame) {
          result = value;
          this.#space();
          if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
          return result;
        }
        this.#put(frame, value);
        this.#space();
        const next = this.#text[this.#at];
        if (next === ',') {
          this.#at++;
          if (frame.keys) this.#key(frame, 'looking for beginning of object key string');
          break;
        }
        if (next !== (frame.keys ? '}' : ']')) throw this.#unexpected(frame.keys ? 'after object key:value pair' : 'after array element');
        this.#at++;
        value = frame.container;
        stack.pop();
      }
    }
  }

  #put(frame: Frame, value: unknown): void {
    if (!frame.keys) {
      (frame.container as unknown[]).push(value);
      return;
    }
    const object = frame.container as Record<string, unknown>;
    const known = Object.hasOwn(object, frame.key);
    frame.keys.push(frame.key);
    if (known || /^\d/.test(frame.key)) this.#repeated.set(object, frame.keys);
    const earlier = known ? object[frame.key] : undefined;
    // Go decodes a repeated key into the same struct or map, so that the two are merged
    const merged = isObject(earlier) && isObject(value) ? { ...earlier, ...value } : value;
    if (frame.key === '__proto__')
      Object.defineProperty(object, frame.key, { value: merged, writable: true, enumerable: true, configurable: true });
    else object[frame.key] = merged;
  }

  #key(frame: Frame, context: string): void {
    this.#space();
    if (this.#text[this.#at] !== '"') throw this.#unexpected(context);
    frame.key = this.#string();
    this.#space();
    if (this.#text[this.#at] !== ':') throw this.#unexpected('after object key');
    this.#at++;
  }

  #scalar(char: string | undefined): unknown {
    if (char === '"') return this.#string();
    if (char === 't') return this.#word('true', true);
    if (char === 'f') return this.#word('false', false);
    if (char === 'n') return this.#word('null', null);
    if (char !== undefined && /[-\d]/.test(char)) return this.#number();
    throw this.#unexpected('looking for beginning of value');
  }

  #word<T>(word: string, value: T): T {
    for (let i = 1; i < word.length; i++) {
      this.#at++;
      if (this.#text[this.#at] !== word[i]) throw this.#unexpected(`in literal ${word} (expecting '${word[i]}')`);
    }
    this.#at++;
    return value;
  }

  #number(): number | NumberText {
    const start = this.#at;
    if (this.#text[this.#at] === '-') {
      this.#at++;
      if (!/\d/.test(this.#text[this.#at] ?? '')) throw this.#unexpected('in numeric literal');
    }
    if (this.#text[this.#at] === '0') this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!this.#digits()) throw this.#unexpected('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at++;
      if (!this.#digits()) throw this.#unexpected('in exponent of numeric literal');
    }
    const text = this.#text.slice(start, this.#at);
    const value = Number(text);
    return String(value) === text ? value : new NumberText(text);
  }

  #digits(): boolean {
    const start = this.#at;
    while (/\d/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#at > start;
  }

  #string(): string {
    const start = this.#at;
    this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) throw this.#unexpected('');
      if (code === 34) break;
      if (code < 32) throw this.#unexpected('in string literal');
      if (code === 92) {
        this.#at++;
        const escaped = this.#text[this.#at];
        if (escaped === 'u') {
          for (let i = 0; i < 4; i++) {
            this.#at++;
            if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) throw this.#unexpected('in \\u hexadecimal character escape');
          }
        } else if (escaped === undefined || !'"\\/bfnrt'.includes(escaped)) {
          throw this.#unexpected('in string escape code');
        }
      }
      this.#at++;
    }
    this.#at++;
    return (JSON.parse(this.#text.slice(start, this.#at)) as string).toWellFormed();
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at++;
    }
  }

  #unexpected(context: string): SyntaxError {
    const char = this.#text.codePointAt(this.#at);
    if (char === undefined) return new SyntaxError('unexpected end of JSON input');
    return new SyntaxError(`invalid character ${quotedChar(char)} ${context}`);
  }
}

/** As Go's quoteChar: `'x'`, `'\''`, `'"'`, `'\x01'`. */
function quotedChar(code: number): string {
  if (code === 39) return "'\\''";
  if (code === 34) return `'"'`;
  const named: Record<number, string> = { 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 92: '\\\\' };
  if (named[code]) return `'${named[code]}'`;
  if (code < 32 || code === 127) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  // Go quotes the byte, not the character
  if (code > 127) {
    const byte = Buffer.from(String.fromCodePoint(code))[0] ?? 0;
    return byte < 0xa0 ? `'\\u00${byte.toString(16)}'` : `'${String.fromCharCode(byte)}'`;
  }
  return `'${String.fromCodePoint(code)}'`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

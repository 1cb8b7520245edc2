import type { Entry } from './cache/entry.ts';
import { type Resource, textOf } from './registry.ts';

/** Large enough for one TLS write to be worth it, small enough to be reused. */
const CHUNK_BYTES = 1 << 18;
/** A UTF-16 code unit takes at most this many bytes in UTF-8. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * The JSON of a list, made of encoded objects that are not serialised again. Over HTTP it is written into buffers object
 * by object (measured: 26 MB in 40 ms, without ever holding them twice); in-process clients take it as one string.
 */
export class ListBody {
  readonly #head: string;
  readonly #resource: Resource;
  readonly #entries: readonly Entry[];

  constructor(head: string, resource: Resource, entries: readonly Entry[]) {
    this.#head = head;
    this.#resource = resource;
    this.#entries = entries;
  }

  /** In characters, about: to decide whether compressing it is worth while. */
  get length(): number {
    let length = this.#head.length;
    for (const entry of this.#entries) length += entry.text.length;
    return length;
  }

  toString(): string {
    return `${this.#head}${this.#entries.map((entry) => this.#item(entry)).join(',')}]}`;
  }

  *chunks(): Generator<Buffer> {
    let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let at = buffer.write(this.#head);
    let first = true;
    for (const entry of this.#entries) {
      const item = this.#item(entry);
      const room = item.length * MAX_BYTES_PER_UNIT + 3;
      if (at + room > buffer.length) {
        if (at > 0) yield buffer.subarray(0, at);
        buffer = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, room));
        at = 0;
      }
      if (!first) buffer[at++] = COMMA;
      first = false;
      at += buffer.write(item, at);
    }
    if (at + 2 > buffer.length) {
      yield buffer.subarray(0, at);
      buffer = Buffer.allocUnsafe(2);
      at = 0;
    }
    at += buffer.write(']}', at);
    yield buffer.subarray(0, at);
  }

  /** Items of built-in kinds carry no kind and apiVersion; custom resources do. */
  #item(entry: Entry): string {
    const text = textOf(this.#resource, entry);
    if (this.#resource.keepsTypeMeta) return text;
    return `{${text.slice(this.#resource.convert ? text.indexOf('"metadata":') : entry.metadataAt)}`;
  }
}

const COMMA = 44;

import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { constants, createDeflate, type Deflate } from 'node:zlib';

/**
 * The client's side of SPDY/3.1 as container runtimes speak it for exec, attach and port-forward
 * (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/): only this side opens streams, nobody has flow control.
 * Headers of answers are not looked at, so they are never decompressed.
 */
const SYN_STREAM = 1;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const FLAG_FIN = 1;
const VERSION = 0x8003;
const HEADER_BYTES = 8;

export interface SpdyStreamHandlers {
  data?(chunk: Buffer): void;
  /** The other side is done with this stream. */
  end?(): void;
}

export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #deflate: Deflate = createDeflate();
  readonly #streams = new Map<number, SpdyStreamHandlers>();
  #nextId = 1;
  #buffer: Buffer = Buffer.alloc(0);
  /** Writes keep their order although header blocks are compressed asynchronously. */
  #queue: Promise<void> = Promise.resolve();
  readonly closed: Promise<void>;

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.once('close', () => {
      for (const handlers of this.#streams.values()) handlers.end?.();
      this.#streams.clear();
    });
    if (head.length) this.#receive(head);
    // It was paused so that nothing was lost before there was a reader.
    socket.resume();
  }

  open(headers: Record<string, string>, handlers: SpdyStreamHandlers = {}): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#streams.set(id, handlers);
    this.#queue = this.#queue.then(async () => {
      const block = await this.#compress(headerBlock(headers));
      const body = Buffer.alloc(10 + block.length);
      body.writeUInt32BE(id, 0);
      block.copy(body, 10);
      this.#socket.write(control(SYN_STREAM, 0, body));
    });
    return {
      write: (chunk) => this.#data(id, chunk, 0),
      end: () => this.#data(id, Buffer.alloc(0), FLAG_FIN),
    };
  }

  destroy(): void {
    this.#socket.destroy();
    this.#deflate.close();
  }

  /** Resolves when the kernel has taken it, so that a fast sender does not fill memory. */
  #data(id: number, chunk: Buffer, flags: number): Promise<void> {
    const frame = Buffer.alloc(HEADER_BYTES);
    frame.writeUInt32BE(id, 0);
    frame.writeUInt32BE(flags * 0x1000000 + chunk.length, 4);
    this.#queue = this.#queue.then(async () => {
      if (this.#socket.destroyed) return;
      this.#socket.write(frame);
      if (chunk.length && !this.#socket.write(chunk)) {
        await Promise.race([new Promise<void>((resolve) => this.#socket.once('drain', resolve)), this.closed]);
      }
    });
    return this.#queue;
  }

  #receive(chunk: Buffer): void {
    this.#buffer = this.#buffer.length ? Buffer.concat([this.#buffer, chunk]) : chunk;
    while (this.#buffer.length >= HEADER_BYTES) {
      const length = this.#buffer.readUIntBE(5, 3);
      if (this.#buffer.length < HEADER_BYTES + length) return;
      const frame = this.#buffer.subarray(0, HEADER_BYTES + length);
      this.#buffer = this.#buffer.subarray(HEADER_BYTES + length);
      this.#frame(frame);
    }
  }

  #frame(frame: Buffer): void {
    const flags = frame[4]!;
    if ((frame[0]! & 0x80) === 0) {
      const id = frame.readUInt32BE(0);
      if (frame.length > HEADER_BYTES) this.#streams.get(id)?.data?.(frame.subarray(HEADER_BYTES));
      if (flags & FLAG_FIN) this.#ended(id);
      return;
    }
    const type = frame.readUInt16BE(2);
    if (type === PING) this.#socket.write(frame);
    else if (type === GOAWAY) this.#socket.end();
    else if (type === RST_STREAM) this.#ended(frame.readUInt32BE(HEADER_BYTES) & 0x7fffffff);
    else if (flags & FLAG_FIN && frame.length >= HEADER_BYTES + 4) this.#ended(frame.readUInt32BE(HEADER_BYTES) & 0x7fffffff);
  }

  #ended(id: number): void {
    const handlers = this.#streams.get(id);
    this.#streams.delete(id);
    handlers?.end?.();
  }

  /** One compression context for the whole connection, flushed after each block. */
  #compress(block: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const take = (chunk: Buffer): number => chunks.push(chunk);
      this.#deflate.on('data', take);
      this.#deflate.write(block);
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
        this.#deflate.off('data', take);
        resolve(Buffer.concat(chunks));
      });
    });
  }
}

export interface SpdyStream {
  write(chunk: Buffer): Promise<void>;
  /** This side is done. */
  end(): Promise<void>;
}

function control(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(flags * 0x1000000 + body.length, 4);
  return Buffer.concat([head, body]);
}

function headerBlock(headers: Record<string, string>): Buffer {
  const parts: Buffer[] = [number(Object.keys(headers).length)];
  for (const [name, value] of Object.entries(headers)) {
    for (const text of [name.toLowerCase(), value]) parts.push(number(Buffer.byteLength(text)), Buffer.from(text));
  }
  return Buffer.concat(parts);
}

function number(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

export interface Upgraded {
  socket: Socket;
  /** Bytes that came with the answer. */
  head: Buffer;
}

/** POSTs to a runtime's streaming URL and switches to SPDY. `protocols`: X-Stream-Protocol-Version, preferred first. */
export function upgrade(url: string, protocols: readonly string[]): Promise<Upgraded> {
  const { hostname, port, pathname, search, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
    let answer: Buffer = Buffer.alloc(0);
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const read = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) {
        if (answer.length > 65_536) fail(new Error('the runtime sent no answer'));
        return;
      }
      const status = answer.toString('latin1', 0, answer.indexOf('\r\n'));
      if (!/^HTTP\/1\.1 101 /.test(status)) return fail(new Error(`the runtime refused the stream: ${status}`));
      socket.off('data', read);
      socket.off('error', fail);
      socket.pause();
      resolve({ socket, head: answer.subarray(end + 4) });
    };
    socket.on('data', read);
    socket.on('error', fail);
    socket.on('connect', () => {
      socket.setNoDelay(true);
      const versions = protocols.map((protocol) => `X-Stream-Protocol-Version: ${protocol}\r\n`).join('');
      socket.write(
        `POST ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${versions}Content-Length: 0\r\n\r\n`,
      );
    });
  });
}

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Batch, Sink } from '../cache/watcher.ts';

/** A watcher that has this much unread is ended: it resumes or relists, and costs the others nothing. */
const MAX_UNREAD_BYTES = 16 << 20;

/**
 * A watch's answer. Each turn's events are one write to the socket. On HTTP/1.1 the chunk is framed once for all
 * watchers and goes to the socket past Node's response object (measured: 3x less CPU for an event of 1 KB at 100 watchers).
 */
export class WatchStream implements Sink {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #http1: boolean;
  #ended = false;

  constructor(request: IncomingMessage, response: ServerResponse, contentType: string) {
    this.#request = request;
    this.#response = response;
    this.#http1 = request.httpVersionMajor === 1;
    response.writeHead(200, {
      'Audit-Id': randomUUID(),
      'Cache-Control': 'no-cache, private',
      'Content-Type': contentType,
      ...(this.#http1 ? { 'Transfer-Encoding': 'chunked' } : {}),
    });
    response.flushHeaders();
  }

  write(batch: Batch): void {
    if (this.#ended) return;
    // Without a socket the answer still waits for the one before it on its connection: Node then keeps it in order.
    const socket = this.#http1 ? this.#response.socket : null;
    if (socket) {
      if (socket.destroyed) return;
      socket.write(batch.chunk);
      if (socket.writableLength > MAX_UNREAD_BYTES) this.#cut();
    } else {
      this.#response.write(batch.bytes);
      if (this.#response.writableLength > MAX_UNREAD_BYTES) this.#cut();
    }
  }

  /** A last event, then the end. */
  finish(batch: Batch): void {
    this.write(batch);
    this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#response.end();
  }

  #cut(): void {
    this.#ended = true;
    if (this.#http1) this.#request.socket.destroy();
    else this.#response.destroy();
  }
}

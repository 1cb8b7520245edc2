import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { createGzip, gzip } from 'node:zlib';
import type { Connection } from '../auth.ts';
import { ListBody } from '../list-body.ts';
import type { Answer } from '../render.ts';

/** Node's HTTP/2 compatibility objects have the same shape; what differs is asked for with `httpVersionMajor`. */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;
export type UpgradeListener = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

const CONNECTIONS = new WeakMap<object, Connection>();

/** Who is at the other end of a socket; its certificate is decoded once. */
export function connectionOf(request: IncomingMessage): Connection {
  const socket =
    (request as unknown as { stream?: { session?: { socket?: TLSSocket } } }).stream?.session?.socket ?? (request.socket as TLSSocket);
  const key = (request as unknown as { stream?: { session?: object } }).stream?.session ?? request.socket;
  let connection = CONNECTIONS.get(key);
  if (!connection) {
    const raw = socket.getPeerCertificate?.()?.raw;
    connection = { peerCertificate: raw };
    CONNECTIONS.set(key, connection);
  }
  return connection;
}

/** Collects a body up to a limit. `too-large` and `aborted` are answers, not errors: the caller words them. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | 'too-large' | 'aborted'> {
  return new Promise((resolve) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > limitBytes) {
      resolve('too-large');
      return;
    }
    const parts: Buffer[] = [];
    let size = 0;
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size > limitBytes) {
        request.removeAllListeners('data');
        request.resume();
        resolve('too-large');
      } else {
        parts.push(part);
      }
    });
    request.on('end', () => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)));
    request.on('aborted', () => resolve('aborted'));
    request.on('error', () => resolve('aborted'));
  });
}

/** Bodies from here on are compressed for clients that take gzip, as upstream. */
const GZIP_FROM_BYTES = 128 * 1024;
/** On the thread pool, at the cheapest level: the point is the network, not the archive. */
const GZIP = { level: 1 };

type Headers = Record<string, string | number | string[]>;

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer, warnings: readonly string[]): void {
  if (response.destroyed || response.headersSent) return;
  const headers: Headers = {
    'Audit-Id': randomUUID(),
    'Cache-Control': 'no-cache, private',
    'Content-Type': answer.contentType,
    ...answer.headers,
  };
  if (warnings.length > 0) headers.Warning = warningHeaders(warnings);
  const { body } = answer;
  const compressed = body.length >= GZIP_FROM_BYTES && takesGzip(request);
  if (compressed) {
    headers['Content-Encoding'] = 'gzip';
    headers.Vary = 'Accept-Encoding';
  }
  if (body instanceof ListBody) {
    void sendChunks(response, answer.code, headers, body, compressed);
  } else if (compressed) {
    gzip(body, GZIP, (_error, packed) => end(response, answer.code, headers, packed));
  } else {
    headers['Content-Length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    response.writeHead(answer.code, headers);
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

function end(response: ServerResponse, code: number, headers: Headers, body: Buffer): void {
  if (response.destroyed) return;
  response.writeHead(code, { ...headers, 'Content-Length': body.length });
  response.end(body);
}

/** Chunk by chunk as the client reads, so that a slow reader of a long list holds no second copy of it. */
async function sendChunks(response: ServerResponse, code: number, headers: Headers, body: ListBody, compressed: boolean): Promise<void> {
  const chunks = body.chunks();
  const first = chunks.next().value as Buffer;
  let next = chunks.next();
  if (next.done && !compressed) return end(response, code, headers, first);
  response.writeHead(code, headers);
  const out: Writable = compressed ? createGzip(GZIP) : response;
  if (compressed) out.pipe(response as unknown as NodeJS.WritableStream & Writable);
  response.on('close', () => out.destroy());
  for (let chunk = first; ; chunk = next.value, next = chunks.next()) {
    if (out.destroyed) return;
    if (!out.write(chunk)) await drained(out);
    if (next.done) break;
  }
  out.end();
}

function drained(out: Writable): Promise<void> {
  return new Promise((resolve) => {
    const on = (): void => {
      out.off('drain', on);
      out.off('close', on);
      resolve();
    };
    out.on('drain', on);
    out.on('close', on);
  });
}

function takesGzip(request: IncomingMessage): boolean {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /\bgzip\b/.test(accepted);
}

const MAX_WARNINGS_LENGTH = 4096;

/** `299 - "text"` (RFC 7234), each text once, and no more than clients can be expected to take. */
function warningHeaders(warnings: readonly string[]): string[] {
  const headers: string[] = [];
  let length = 0;
  for (const text of new Set(warnings)) {
    // Control characters and what is not ASCII would make the header invalid.
    const safe = Buffer.from(text.replace(/\p{Cc}/gu, ' '))
      .toString('latin1')
      .replace(/[\\"]/g, '\\$&');
    length += safe.length;
    if (length > MAX_WARNINGS_LENGTH) break;
    headers.push(`299 - "${safe}"`);
  }
  return headers;
}

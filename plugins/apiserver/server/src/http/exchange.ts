import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gzip } from 'node:zlib';
import type { Connection } from '../auth.ts';
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

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer, warnings: readonly string[]): void {
  if (response.destroyed || response.headersSent) return;
  const headers: Record<string, string | number | string[]> = {
    'Audit-Id': randomUUID(),
    'Cache-Control': 'no-cache, private',
    'Content-Type': answer.contentType,
    ...answer.headers,
  };
  if (warnings.length > 0) headers.Warning = warningHeaders(warnings);
  const { body } = answer;
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    if (body.length >= GZIP_FROM_BYTES && takesGzip(request)) return void sendCompressed(response, answer.code, headers, [body]);
    headers['Content-Length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    response.writeHead(answer.code, headers);
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  const length = body.reduce((sum, part) => sum + part.length, 0);
  if (length >= GZIP_FROM_BYTES && takesGzip(request)) return void sendCompressed(response, answer.code, headers, body);
  if (body.length === 1) {
    const [only = ''] = body;
    headers['Content-Length'] = Buffer.byteLength(only);
    response.writeHead(answer.code, headers);
    response.end(only);
    return;
  }
  response.writeHead(answer.code, headers);
  void sendParts(response, body);
}

/** Part by part as the client reads, so that a slow reader of a long list holds no second copy of it. */
async function sendParts(response: ServerResponse, parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    if (response.destroyed) return;
    if (!response.write(part)) {
      await new Promise<void>((resolve) => {
        const on = (): void => {
          response.off('drain', on);
          response.off('close', on);
          resolve();
        };
        response.on('drain', on);
        response.on('close', on);
      });
    }
  }
  response.end();
}

function takesGzip(request: IncomingMessage): boolean {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /\bgzip\b/.test(accepted);
}

/** On the thread pool, at the cheapest level: the point is the network, not the archive. */
function sendCompressed(
  response: ServerResponse,
  code: number,
  headers: Record<string, string | number | string[]>,
  parts: readonly (string | Buffer)[],
): void {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  gzip(bytes, { level: 1 }, (error, packed) => {
    if (response.destroyed) return;
    if (error) {
      response.writeHead(code, { ...headers, 'Content-Length': bytes.length });
      response.end(bytes);
      return;
    }
    response.writeHead(code, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding', 'Content-Length': packed.length });
    response.end(packed);
  });
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

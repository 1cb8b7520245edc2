import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { CertificateAndKey } from '../pki.ts';
import { methodNotAllowed } from '../status.ts';
import type { RequestListener, UpgradeListener } from './exchange.ts';

export interface ListenerOptions {
  host: string;
  /** 0: a free one. */
  port: number;
  serving: CertificateAndKey;
  requestTimeoutMs: number;
  /** Lets a successor listen on the same port while this one drains. */
  reusePort: boolean;
}

export interface Listener {
  readonly address: AddressInfo;
  /** New certificate for new connections; those that are open keep theirs. */
  renew(serving: CertificateAndKey): void;
  /** Stops accepting, lets requests finish for so long, then cuts. */
  close(drainMs: number): Promise<void>;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_MS = 90_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** HTTP/1.1 and HTTP/2 on one TLS port. Client certificates are asked for and judged by the authenticators, not by TLS. */
export async function listen(options: ListenerOptions, onRequest: RequestListener, onUpgrade: UpgradeListener): Promise<Listener> {
  const server: Http2SecureServer = createSecureServer({
    allowHTTP1: true,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...options.serving,
    // A connection whose client stops reading the answer to a flood of resets, settings or pings is ended by these bounds.
    maxSessionInvalidFrames: 100,
    maxSessionMemory: 64,
    settings: { maxConcurrentStreams: 250, initialWindowSize: 1 << 20, maxHeaderListSize: MAX_HEADER_BYTES },
    ...({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, options.requestTimeoutMs),
      connectionsCheckingInterval: Math.min(5_000, options.requestTimeoutMs),
      requestTimeout: options.requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
    } as object),
  });
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    // A reset by the client is nobody's error.
    socket.on('error', () => socket.destroy());
  });
  server.on('sessionError', () => {});
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseMalformed(error, socket));
  server.on('request', onRequest as never);
  server.on('upgrade', onUpgrade as never);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, reusePort: options.reusePort, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    address: server.address() as AddressInfo,
    renew: (serving) => server.setSecureContext({ ...serving }),
    async close(drainMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      (server as unknown as { closeIdleConnections?(): void }).closeIdleConnections?.();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, drainMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** Connections that have been refused and are only drained: their rest comes in as further errors. */
const REFUSED = new WeakSet<Socket>();
/** For the client to read why, before the connection is cut. */
const LINGER_MS = 1_000;

/** What is not even HTTP gets one line, as Go's server gives it. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (REFUSED.has(socket)) return;
  REFUSED.add(socket);
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.end(malformedAnswer(error.code));
}

function malformedAnswer(code: string | undefined): string {
  if (code === 'HPE_INVALID_METHOD') {
    // Node's parser knows a fixed list of methods; the API has fewer.
    const body = JSON.stringify(methodNotAllowed().status);
    return `HTTP/1.1 405 Method Not Allowed\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  }
  const line =
    code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  return `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${line}`;
}

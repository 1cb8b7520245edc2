import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { KubernelError } from '@kubernel/sdk';
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
  const connections = new Connections();
  server.on('secureConnection', (socket: Socket) => {
    connections.add(socket);
    socket.setNoDelay(true);
    // A reset by the client is nobody's error.
    socket.on('error', () => socket.destroy());
  });
  server.on('session', (session: ServerHttp2Session) => connections.addSession(session));
  server.on('sessionError', () => {});
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseMalformed(error, socket));
  server.on('request', ((request, response) => {
    connections.begin(request, response);
    onRequest(request, response);
  }) as RequestListener as never);
  server.on('upgrade', onUpgrade as never);
  if (options.port !== 0) await demandFree(options.host, options.port);
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
      connections.drain();
      const cut = setTimeout(() => connections.cut(), drainMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** Knows which connections are answering something, so that the others can be let go at once. */
class Connections {
  readonly #answering = new Map<Socket, number>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #draining = false;

  add(socket: Socket): void {
    this.#answering.set(socket, 0);
    socket.once('close', () => this.#answering.delete(socket));
  }

  addSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    // Its socket is the session's business from here on.
    for (const socket of this.#answering.keys()) if (socket.remotePort === session.socket.remotePort) this.#answering.delete(socket);
    session.once('close', () => this.#sessions.delete(session));
  }

  /** HTTP/1.1 alone: sessions of HTTP/2 know their own streams. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    if (request.httpVersionMajor !== 1) return;
    const { socket } = request;
    this.#answering.set(socket, (this.#answering.get(socket) ?? 0) + 1);
    if (this.#draining) response.shouldKeepAlive = false;
    response.once('close', () => {
      const left = (this.#answering.get(socket) ?? 1) - 1;
      if (this.#answering.has(socket)) this.#answering.set(socket, left);
      if (this.#draining && left === 0) socket.end();
    });
  }

  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
    for (const [socket, requests] of this.#answering) if (requests === 0) socket.destroy();
  }

  cut(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#answering.keys()) socket.destroy();
  }
}

/**
 * With `reusePort` two servers of one user would share a port without a word, each getting some of the requests. A
 * socket without it cannot be bound beside one that has it, so it tells whether the port is free.
 */
async function demandFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  probe.once('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'EADDRINUSE'
        ? new KubernelError('ERR_PORT_IN_USE', `port ${port} on ${host} is taken`, {
            subject: 'apiserver/server',
            hint: 'stop what listens there, or start with another port (0 takes a free one)',
          })
        : error,
    ),
  );
  probe.listen({ host, port }, () => probe.close(() => resolve()));
  await promise;
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

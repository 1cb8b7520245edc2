import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import type { ConnectTarget } from '../connect/target.ts';
import type { CertificateAndKey } from '../pki.ts';

/** What the proxy shows to kubelets, and whom it believes. */
export interface NodeTrust {
  client: CertificateAndKey;
  /** PEM of the cluster CA, which signs kubelet serving certificates. */
  ca: string;
}

/** Headers that are between two neighbours and not passed on (RFC 9110, 7.6.1), and the caller's credentials. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
const CREDENTIALS = new Set(['authorization', 'cookie-auth', 'x-remote-user', 'x-remote-group', 'x-remote-uid']);

const CONNECT_TIMEOUT_MS = 30_000;

/** Hands requests and upgraded connections on to nodes, pods and services. */
export class Proxy {
  readonly #trust: NodeTrust | undefined;
  readonly #nodeAgent: https.Agent;
  readonly #plainAgent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  readonly #secureAgent = new https.Agent({ keepAlive: true, maxSockets: 256, rejectUnauthorized: false });

  constructor(trust: NodeTrust | undefined) {
    this.#trust = trust;
    this.#nodeAgent = new https.Agent({ keepAlive: true, maxSockets: 256, ...this.#nodeTls() });
  }

  close(): void {
    for (const agent of [this.#nodeAgent, this.#plainAgent, this.#secureAgent]) agent.destroy();
  }

  /** A request and its answer, both streamed; `onFail` words what the caller gets when the other end cannot be reached. */
  forward(request: IncomingMessage, response: ServerResponse, target: ConnectTarget, onFail: (error: Error) => void): void {
    const url = new URL(target.url);
    const secure = url.protocol === 'https:';
    const agent = target.node ? this.#nodeAgent : secure ? this.#secureAgent : this.#plainAgent;
    const out = (secure ? https : http).request(url, {
      method: request.method ?? 'GET',
      headers: passedHeaders(request, url),
      agent,
      timeout: 0,
    });
    out.on('response', (answer) => {
      const headers: Record<string, string | string[]> = {};
      for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined && !HOP_BY_HOP.has(name)) headers[name] = value;
      response.writeHead(answer.statusCode ?? 502, headers);
      // Logs that are followed say nothing for long: the client must see that it is connected.
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    out.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else onFail(error);
    });
    response.on('close', () => out.destroy());
    request.pipe(out);
  }

  /** An upgrade (WebSocket, SPDY/3.1): the request is repeated to the other end, then bytes go both ways as they come. */
  tunnel(request: IncomingMessage, socket: Socket, head: Buffer, target: ConnectTarget, onFail: (error: Error) => void): void {
    const url = new URL(target.url);
    const secure = url.protocol === 'https:';
    const port = Number(url.port || (secure ? 443 : 80));
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const upstream: Socket = secure
      ? tls.connect({ host, port, ...(target.node ? this.#nodeTls() : { rejectUnauthorized: false }) })
      : net.connect({ host, port });
    const timer = setTimeout(() => upstream.destroy(new Error('timed out')), CONNECT_TIMEOUT_MS);
    let open = false;
    upstream.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      open = true;
      upstream.setNoDelay(true);
      upstream.write(requestHead(request, url));
      if (head.length > 0) upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    upstream.on('error', (error) => {
      clearTimeout(timer);
      if (open) socket.destroy();
      else onFail(error);
    });
    upstream.on('close', () => socket.end());
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
  }

  #nodeTls(): tls.ConnectionOptions {
    // Kubelets show certificates made for their node name; the address is the cluster's own record of it.
    if (!this.#trust) return { rejectUnauthorized: false };
    return { ...this.#trust.client, ca: this.#trust.ca, checkServerIdentity: () => undefined };
  }
}

function passedHeaders(request: IncomingMessage, url: URL): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(':') || HOP_BY_HOP.has(name) || CREDENTIALS.has(name) || name.startsWith('impersonate-'))
      continue;
    headers[name] = value;
  }
  headers.host = url.host;
  const from = request.socket.remoteAddress;
  if (from) headers['x-forwarded-for'] = [request.headers['x-forwarded-for'], from].filter(Boolean).join(', ');
  return headers;
}

/** Here the connection headers are the point. */
function requestHead(request: IncomingMessage, url: URL): string {
  const lines = [`${request.method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] as string;
    const lower = name.toLowerCase();
    if (lower === 'host' || CREDENTIALS.has(lower) || lower.startsWith('impersonate-')) continue;
    const value =
      lower === 'sec-websocket-protocol'
        ? withoutBearer(request.rawHeaders[index + 1] as string)
        : (request.rawHeaders[index + 1] as string);
    if (value !== '') lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Browsers can send a token only as a WebSocket protocol; the node must not see it. */
function withoutBearer(protocols: string): string {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !protocol.startsWith('base64url.bearer.authorization.k8s.io.'))
    .join(', ');
}

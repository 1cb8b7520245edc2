import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SpdyConnection, type SpdyStream, upgrade } from './spdy.ts';

export interface StreamFlags {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** WebSocket protocols (https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming), and what each is turned into. */
const REMOTE_COMMAND_V5 = 'v5.channel.k8s.io';
const REMOTE_COMMAND_V4 = 'v4.channel.k8s.io';
const PORT_FORWARD_TUNNEL = 'SPDY/3.1+portforward.k8s.io';
const CHANNELS = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const;
const CLOSE_SIGNAL = 255;

const webSockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) =>
    [REMOTE_COMMAND_V5, REMOTE_COMMAND_V4, PORT_FORWARD_TUNNEL].find((protocol) => offered.has(protocol)) ?? false,
});

/**
 * Connects an upgraded client with the runtime's streaming URL. Runtimes speak SPDY and old WebSocket protocols, whose stdin
 * has no end; so the newer ones of clients are translated here, and everything else passes through byte for byte.
 */
export async function streamCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  url: string,
  flags: StreamFlags,
): Promise<void> {
  const offered = protocolsOf(request);
  if (offered.has(REMOTE_COMMAND_V5) || offered.has(REMOTE_COMMAND_V4)) {
    const upstream = await upgrade(url, [REMOTE_COMMAND_V4]);
    webSockets.handleUpgrade(request, socket, head, (client) =>
      translateCommand(client, new SpdyConnection(upstream.socket, upstream.head), flags),
    );
  } else {
    passThrough(request, socket, head, url);
  }
}

export async function streamPorts(request: IncomingMessage, socket: Duplex, head: Buffer, url: string): Promise<void> {
  if (!protocolsOf(request).has(PORT_FORWARD_TUNNEL)) return passThrough(request, socket, head, url);
  const upstream = await upgrade(url, ['portforward.k8s.io']);
  webSockets.handleUpgrade(request, socket, head, (client) => tunnel(client, upstream.socket, upstream.head));
}

/** One channel byte before each message <-> one SPDY stream for each channel. */
function translateCommand(client: WebSocket, runtime: SpdyConnection, flags: StreamFlags): void {
  const streams = new Map<number, SpdyStream>();
  let open = 0;
  const readable = (channel: number): void => {
    open++;
    streams.set(
      channel,
      runtime.open(
        { streamtype: CHANNELS[channel]! },
        {
          data: (chunk) => client.send(Buffer.concat([Buffer.from([channel]), chunk])),
          end: () => {
            // The runtime ends the error stream last, with the exit code on it.
            if (--open === 0) client.close(1000);
          },
        },
      ),
    );
  };
  const writable = (channel: number): void => void streams.set(channel, runtime.open({ streamtype: CHANNELS[channel]! }));

  // In the order in which kubectl opens them: runtimes wait for all of them before they start.
  readable(3);
  if (flags.stdin) writable(0);
  if (flags.stdout) readable(1);
  if (flags.stderr && !flags.tty) readable(2);
  if (flags.tty) writable(4);

  // Tells the client that it is connected.
  if (flags.stdout) client.send(Buffer.from([1]));
  client.on('message', (data: Buffer) => {
    const channel = data[0];
    if (channel === undefined) return;
    if (channel === CLOSE_SIGNAL) {
      void streams.get(data[1] ?? -1)?.end();
    } else if (channel === 0 || channel === 4) {
      client.pause();
      void streams
        .get(channel)
        ?.write(data.subarray(1))
        .then(() => client.resume());
    }
  });
  client.on('close', () => runtime.destroy());
  client.on('error', () => runtime.destroy());
  void runtime.closed.then(() => client.close(1000));
}

/** The messages of the WebSocket are SPDY's bytes (KEP-4006). */
function tunnel(client: WebSocket, upstream: Duplex, head: Buffer): void {
  if (head.length) client.send(head);
  upstream.on('data', (chunk: Buffer) => {
    upstream.pause();
    client.send(chunk, () => upstream.resume());
  });
  upstream.on('error', () => client.close(1011));
  upstream.on('close', () => client.close(1000));
  upstream.resume();
  client.on('message', (data: Buffer) => {
    if (!upstream.write(data)) {
      client.pause();
      upstream.once('drain', () => client.resume());
    }
  });
  client.on('close', () => upstream.destroy());
  client.on('error', () => upstream.destroy());
}

/** The request is repeated to the runtime as it came, under the path of its streaming URL; then bytes go both ways. */
function passThrough(request: IncomingMessage, socket: Duplex, head: Buffer, url: string): void {
  const { hostname, port, pathname, search, host } = new URL(url);
  const upstream = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }, () => {
    upstream.setNoDelay(true);
    const lines = [`${request.method} ${pathname}${search} HTTP/1.1`, `Host: ${host}`];
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i]!;
      if (!/^(host|authorization)$/i.test(name)) lines.push(`${name}: ${request.rawHeaders[i + 1]}`);
    }
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
    if (head.length) upstream.write(head);
    upstream.pipe(socket);
    socket.pipe(upstream);
  });
  upstream.on('error', () => socket.destroy());
  upstream.on('close', () => socket.destroy());
  socket.on('error', () => upstream.destroy());
  socket.on('close', () => upstream.destroy());
}

function protocolsOf(request: IncomingMessage): Set<string> {
  return new Set(
    (request.headers['sec-websocket-protocol'] ?? '')
      .split(',')
      .map((protocol) => protocol.trim())
      .filter(Boolean),
  );
}

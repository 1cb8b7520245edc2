import { createHash } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CriRuntime, isCode, toWireError } from '@kubernel/sdk';
import { noteSocket } from '../data-dir.ts';
import { type Kernel, runtimeOf } from '../kernel.ts';

/** Longest path of a unix socket on Linux (sun_path), without its final NUL. */
const MAX_SOCKET_PATH = 107;

export interface ControlServer {
  readonly socket: string;
  close(): Promise<void>;
}

/** What a control client reads at /status. */
export interface StatusDocument {
  name: string;
  version: string;
  pid: number;
  dataDir: string;
  config: string | undefined;
  uptimeSeconds: number;
  plugins: ReturnType<Kernel['plugins']>;
  store: Awaited<ReturnType<Kernel['stats']>> | { error: string };
}

/**
 * The door for the CLI of the same user: a unix socket with mode 0600 in the data directory. Who can open it owns the
 * cluster's data anyway.
 */
export async function serveControl(
  kernel: Kernel,
  about: { version: string; config: string | undefined },
  onStop: () => void,
): Promise<ControlServer> {
  let listener: Promise<RequestListener> | undefined;
  const socket = socketPath(kernel.dataDir);
  await rm(socket, { force: true });
  const server: Server = createServer((request, response) => {
    listener ??= routes(kernel, about, onStop);
    listener.then(
      (handle) => handle(request, response),
      (error: Error) => response.writeHead(500).end(JSON.stringify(toWireError(error))),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  await chmod(socket, 0o600);
  await noteSocket(kernel.dataDir, socket);
  return {
    socket,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(socket, { force: true });
    },
  };
}

/** The HTTP framework is loaded for the first request: most clusters run for long before anyone asks, if ever. */
async function routes(
  kernel: Kernel,
  about: { version: string; config: string | undefined },
  onStop: () => void,
): Promise<RequestListener> {
  const [{ Hono }, { getRequestListener }] = await Promise.all([import('hono'), import('@hono/node-server')]);
  const app = new Hono();
  app.onError((error, c) => c.json(toWireError(error), isCode(error, 'ERR_ROLE_UNAVAILABLE') ? 503 : 500));
  app.get('/status', async (c) =>
    c.json({
      name: kernel.name,
      version: about.version,
      pid: process.pid,
      dataDir: kernel.dataDir,
      config: about.config,
      uptimeSeconds: Math.round(process.uptime()),
      plugins: kernel.plugins(),
      store: await kernel.stats().catch((error: Error) => ({ error: error.message })),
    } satisfies StatusDocument),
  );
  app.post('/stop', (c) => {
    setImmediate(onStop);
    return c.json({ stopping: true });
  });
  app.get('/images', async (c) => c.json(await runtimeOf(kernel).listImages({})));
  app.post('/images', async (c) => {
    const { file } = await c.req.json<{ file: string }>();
    return c.json(await (runtimeOf(kernel) as Required<CriRuntime>).importImage({ file }));
  });
  app.post('/snapshot', async (c) => {
    const { file } = await c.req.json<{ file: string }>();
    await kernel.backup(file);
    return c.json({ file });
  });
  return getRequestListener(app.fetch);
}

function socketPath(dataDir: string): string {
  const path = join(dataDir, 'kernel.sock');
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  return join(tmpdir(), `kubernel-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`);
}

import type { Assembled } from '../assemble.ts';
import { type Listener, type ListenerOptions, listen } from './listener.ts';
import { type NodeTrust, Proxy } from './proxy.ts';
import { Routes } from './routes.ts';
import { HttpFront, type HttpLimits } from './server.ts';

const LIMITS: HttpLimits = { bodyBytes: 3 << 20, requestTimeoutMs: 60_000, maxReading: 400, maxMutating: 200 };

export interface ServeOptions extends Omit<ListenerOptions, 'requestTimeoutMs'> {
  limits: Partial<HttpLimits>;
  /** Undefined: kubelets are believed, and shown nothing. For tests. */
  nodeTrust: NodeTrust | undefined;
}

/** Opens an assembled server to the network. A module of its own, so that a server without HTTPS does not load what this takes. */
export async function serve(server: Assembled, options: ServeOptions): Promise<Listener> {
  const limits = { ...LIMITS, ...options.limits };
  const proxy = new Proxy(options.nodeTrust);
  const front = new HttpFront(server.api, server.authentication, new Routes(server.nonResource), server.metrics, proxy, limits);
  const listener = await listen({ ...options, requestTimeoutMs: limits.requestTimeoutMs }, front.onRequest, front.onUpgrade);
  return {
    ...listener,
    async close(drainMs) {
      await listener.close(drainMs);
      proxy.close();
    },
  };
}

import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { PluginContext } from '@kubernel/sdk';
import type { Assembled } from './assemble.ts';
import { firstAddress } from './bootstrap/bootstrap.ts';
import type { ServerConfig } from './config.ts';
import { serve } from './http/serve.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { ensurePki, type Pki } from './pki.ts';

/** Everything HTTPS takes. Loaded only where the config wants it: an embedded server starts in half the time without. */

const DEFAULT_PORT = 6443;
const DRAIN_MS = 5_000;

export function makePki(ctx: PluginContext<ServerConfig>): Promise<Pki> {
  return ensurePki(join(ctx.dataDir, 'pki'), subjectAltNames(ctx));
}

/** Opens the port, writes the kubeconfig, and says where it listens. */
export async function open(ctx: PluginContext<ServerConfig>, server: Assembled, pki: Pki): Promise<{ host: string; port: number }> {
  const { bind: host = '127.0.0.1', port: wanted = DEFAULT_PORT, advertise, limits = {} } = ctx.config;
  const listener = await serve(server, {
    host,
    port: wanted,
    serving: pki.serving,
    reusePort: true,
    nodeTrust: { client: pki.kubeletClient, ca: pki.ca.cert },
    limits: {
      ...(limits.bodyBytes ? { bodyBytes: limits.bodyBytes } : {}),
      ...(limits.requestTimeoutMs ? { requestTimeoutMs: limits.requestTimeoutMs } : {}),
      ...(limits.maxInflight ? { maxReading: limits.maxInflight } : {}),
      ...(limits.maxMutatingInflight ? { maxMutating: limits.maxMutatingInflight } : {}),
    },
  });
  ctx.defer(() => {
    // Watches would hold their connections for as long as the drain lasts.
    server.api.hub.endAll();
    return listener.close(DRAIN_MS);
  });
  const { port } = listener.address;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url = advertise ?? `https://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
  writeKubeconfig(join(ctx.dataDir, 'kubeconfig'), ctx.cluster.name, url, pki.ca.cert, pki.admin);
  ctx.log.info('serving the Kubernetes API', { url });
  return { host, port };
}

/** Every name and address under which clients may know this server. */
function subjectAltNames(ctx: PluginContext<ServerConfig>): string[] {
  const { clusterDomain, serviceCIDRs } = ctx.cluster;
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address, internal }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
  const names = [
    'localhost',
    hostname().toLowerCase(),
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${clusterDomain}`,
    '127.0.0.1',
    '::1',
    ...addresses,
    ...serviceCIDRs.map(firstAddress).filter((address) => address !== undefined),
    ...(ctx.config.certSANs ?? []),
  ];
  return [...new Set(names)].filter((name) => /^[a-z0-9.:*-]+$/i.test(name));
}

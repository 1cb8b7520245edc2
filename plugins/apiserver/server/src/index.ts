/**
 * The Kubernetes API: HTTPS for clients, `apiserver/v1` for plugins on the same machine. Start reading at `pipeline.ts`.
 */
import { networkInterfaces, hostname } from 'node:os';
import { join } from 'node:path';
import { definePlugin, type PluginContext } from '@kubernel/sdk';
import { assemble } from './assemble.ts';
import type { ServerConfig } from './config.ts';
import { documents } from './documents.ts';
import { listen } from './http/listener.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { noPatcher } from './patcher.ts';
import { ensurePki } from './pki.ts';
import { SchemaCodec } from './schema/index.ts';

export { assemble } from './assemble.ts';

const DEFAULT_PORT = 6443;
const DRAIN_MS = 5_000;

export default definePlugin<'apiserver/v1', ServerConfig>('apiserver/v1', 'server', {
  async start(ctx) {
    const { config } = ctx;
    const store = ctx.use('store/v1');
    const groups = ctx.extensions('api/v1');
    const abort = new AbortController();
    ctx.defer(() => abort.abort());
    const listGroups = () => [...groups].map(({ instance }) => instance);
    const server = assemble({
      store,
      groups: listGroups(),
      authenticators: ctx.extensions('authn/v1'),
      authorizers: ctx.extensions('authz/v1'),
      admission: ctx.extensions('admission/v1'),
      cluster: ctx.cluster,
      log: ctx.log,
      metrics: ctx.metrics,
      makeCodec: (list) => new SchemaCodec(list),
      makePatcher: () => noPatcher,
      documents,
      metricsText: async () => '',
      limits: {
        ...(config.limits?.bodyBytes ? { bodyBytes: config.limits.bodyBytes } : {}),
        ...(config.limits?.requestTimeoutMs ? { requestTimeoutMs: config.limits.requestTimeoutMs } : {}),
        ...(config.limits?.maxInflight ? { maxReading: config.limits.maxInflight } : {}),
        ...(config.limits?.maxMutatingInflight ? { maxMutating: config.limits.maxMutatingInflight } : {}),
      },
    });
    groups.onChange(() => server.setGroups(listGroups()));
    ctx.defer(() => server.close());
    const pki = config.listen === false ? undefined : await ensurePki(join(ctx.dataDir, 'pki'), subjectAltNames(ctx));
    await server.start(abort.signal);
    if (pki) {
      const options = { host: config.bind ?? '127.0.0.1', port: config.port ?? DEFAULT_PORT, serving: pki.serving, requestTimeoutMs: config.limits?.requestTimeoutMs ?? 60_000, reusePort: true };
      const listener = await listen(options, server.front.onRequest, server.front.onUpgrade);
      ctx.defer(() => listener.close(DRAIN_MS));
      const { port } = listener.address;
      const host = options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host;
      const url = config.advertise ?? `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
      writeKubeconfig(join(ctx.dataDir, 'kubeconfig'), ctx.cluster.name, url, pki.ca.cert, pki.admin);
      ctx.log.info('serving the Kubernetes API', { url });
    }
    return server.service as never;
  },
});

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

/** `10.96.0.0/16` -> `10.96.0.1`: the address of the `kubernetes` service. */
export function firstAddress(cidr: string): string | undefined {
  const [base = ''] = cidr.split('/');
  const parts = base.split('.').map(Number);
  if (parts.length !== 4) return undefined;
  parts[3] = (parts[3] as number) + 1;
  return parts.join('.');
}

/**
 * The Kubernetes API: HTTPS for clients, `apiserver/v1` for plugins on the same machine. Start reading at `pipeline.ts`.
 */
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Authorizer, definePlugin, type Extensions, type PluginContext } from '@kubernel/sdk';
import { SYSTEM_USER } from './api.ts';
import { assemble } from './assemble.ts';
import { bootstrap, firstAddress } from './bootstrap/bootstrap.ts';
import type { ServerConfig } from './config.ts';
import { documents } from './documents.ts';
import { listen } from './http/listener.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { ensurePki } from './pki.ts';
import { schemaTypes } from './types-of-groups.ts';

export { assemble } from './assemble.ts';

const DEFAULT_PORT = 6443;
const DRAIN_MS = 5_000;

export default definePlugin<'apiserver/v1', ServerConfig>('apiserver/v1', 'server', {
  async start(ctx) {
    const { config } = ctx;
    const store = ctx.use('store/v1');
    const groups = ctx.extensions('api/v1');
    const authenticators = ctx.extensions('authn/v1');
    const authorizers = ctx.extensions('authz/v1');
    let address = '';
    const abort = new AbortController();
    ctx.defer(() => abort.abort());
    const listGroups = () => [...groups].map(({ instance }) => instance);
    const pki = config.listen === false ? undefined : await ensurePki(join(ctx.dataDir, 'pki'), subjectAltNames(ctx));
    const server = assemble({
      ...(pki ? { nodeTrust: { client: pki.kubeletClient, ca: pki.ca.cert } } : {}),
      store,
      groups: listGroups(),
      authenticators,
      authorizers,
      admission: ctx.extensions('admission/v1'),
      cluster: ctx.cluster,
      log: ctx.log,
      metrics: ctx.metrics,
      makeTypes: schemaTypes,
      documents: (api) => documents(api, () => address),
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
    let missing: string[] | undefined;
    server.health.add('poststarthook/bootstrap', () => (missing ? missing[0] : 'not finished'), ['readyz']);
    await server.start(abort.signal);
    for (const { instance } of authenticators) if (instance.tokens) server.services.set('tokens', instance.tokens);
    server.services.set('rules', { rulesFor: rulesFor(authorizers) });
    let port: number | undefined;
    if (pki) {
      const options = {
        host: config.bind ?? '127.0.0.1',
        port: config.port ?? DEFAULT_PORT,
        serving: pki.serving,
        requestTimeoutMs: config.limits?.requestTimeoutMs ?? 60_000,
        reusePort: true,
      };
      const listener = await listen(options, server.front.onRequest, server.front.onUpgrade);
      ctx.defer(() => listener.close(DRAIN_MS));
      port = listener.address.port;
      address = `${options.host}:${port}`;
      const host = options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host;
      const url = config.advertise ?? `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
      writeKubeconfig(join(ctx.dataDir, 'kubeconfig'), ctx.cluster.name, url, pki.ca.cert, pki.admin);
      ctx.log.info('serving the Kubernetes API', { url });
    }
    const settings = {
      cluster: ctx.cluster,
      authorizers,
      port,
      address: config.bind && config.bind !== '127.0.0.1' ? nodeAddress() : undefined,
      clientCa: pki?.ca.cert,
      frontProxyCa: pki?.frontProxyCa,
      log: ctx.log,
    };
    const ensure = async (): Promise<void> => {
      missing = await bootstrap(server.api, server.connect(SYSTEM_USER), settings);
    };
    await ensure();
    void retry(ensure, () => (missing?.length ?? 0) === 0, abort.signal);
    return server.service as never;
  },
});

/** Until it is done: at once worked, or later, with growing pauses. */
async function retry(work: () => Promise<void>, done: () => boolean, signal: AbortSignal): Promise<void> {
  for (let pauseMs = 1_000; !done() && !signal.aborted; pauseMs = Math.min(pauseMs * 2, 60_000)) {
    await setTimeout(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    if (!signal.aborted) await work();
  }
}

/** The rules of all authorizers that can list theirs, for SelfSubjectRulesReview. */
function rulesFor(authorizers: Extensions<Authorizer>): NonNullable<Authorizer['rulesFor']> {
  return (user, namespace) => {
    const found = [...authorizers].map(({ instance }) => instance.rulesFor?.(user, namespace));
    return {
      resourceRules: found.flatMap((rules) => rules?.resourceRules ?? []),
      nonResourceRules: found.flatMap((rules) => rules?.nonResourceRules ?? []),
      incomplete: found.some((rules) => rules?.incomplete === true),
    };
  };
}

/** An address of this machine that others can reach. */
function nodeAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
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

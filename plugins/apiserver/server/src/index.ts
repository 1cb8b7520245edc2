/**
 * The Kubernetes API: HTTPS for clients, `apiserver/v1` for plugins on the same machine. Start reading at `pipeline.ts`.
 */
import { networkInterfaces } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { type Authorizer, definePlugin, type Extensions } from '@kubernel/sdk';
import { SYSTEM_USER } from './api.ts';
import { assemble } from './assemble.ts';
import { bootstrap } from './bootstrap/bootstrap.ts';
import type { ServerConfig } from './config.ts';
import { documents } from './documents.ts';
import { expireObjects } from './expiry.ts';
import { followHost } from './host-feed.ts';
import { schemaTypes } from './types-of-groups.ts';

export { assemble } from './assemble.ts';

export default definePlugin<'apiserver/v1', ServerConfig>('apiserver/v1', 'server', {
  async start(ctx) {
    const { config, cluster, log } = ctx;
    const groups = ctx.extensions('api/v1');
    const authenticators = ctx.extensions('authn/v1');
    const authorizers = ctx.extensions('authz/v1');
    const host = ctx.use('host/v1');
    const abort = new AbortController();
    ctx.defer(() => abort.abort());
    const listGroups = () => [...groups].map(({ instance }) => instance);
    let address = '';
    const server = assemble({
      store: ctx.use('store/v1'),
      groups: listGroups(),
      authenticators,
      authorizers,
      admission: ctx.extensions('admission/v1'),
      cluster,
      log,
      metrics: ctx.metrics,
      makeTypes: schemaTypes,
      documents: (api) => documents(api, () => address),
      metricsText: () => host.metrics(),
    });
    ctx.defer(() => server.close());
    groups.onChange(() => server.setGroups(listGroups()));
    let missing: string[] | undefined;
    server.health.add('poststarthook/bootstrap', () => (missing ? missing[0] : 'not finished'), ['readyz']);

    const https = config.listen === false ? undefined : await import('./https.ts');
    const [pki] = await Promise.all([https?.makePki(ctx), server.start(abort.signal)]);
    // Extensions find the certificates in place and a complete cache.
    await server.initExtensions();
    for (const { instance } of authenticators) if (instance.tokens) server.services.set('tokens', instance.tokens);
    server.services.set('rules', { rulesFor: rulesFor(authorizers) });
    const opened = https && pki ? await https.open(ctx, server, pki) : undefined;
    if (opened) address = `${opened.host}:${opened.port}`;

    const settings = {
      cluster,
      authorizers,
      port: opened?.port,
      address: opened && opened.host !== '127.0.0.1' ? nodeAddress() : undefined,
      clientCa: pki?.ca.cert,
      frontProxyCa: pki?.frontProxyCa,
      log,
    };
    const service = server.connect(SYSTEM_USER);
    const ensure = async (): Promise<void> => {
      missing = await bootstrap(server.api, service, settings);
    };
    await ensure();
    void retry(ensure, () => (missing?.length ?? 0) === 0, abort.signal);
    void followHost(host, server.health, log, abort.signal);
    void expireObjects(server.api, abort.signal);
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

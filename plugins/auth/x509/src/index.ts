/**
 * authn/x509: who a request comes from, by its TLS client certificate (`verify.ts`) or, through an authenticating
 * proxy, by headers the proxy vouches for (`front-proxy.ts`).
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Authenticator, PluginContext } from '@kubernel/sdk';
import { definePlugin } from '@kubernel/sdk';
import { caUnreadable } from './errors.ts';
import type { FrontProxyOptions } from './front-proxy.ts';
import { authenticateFrontProxy, FRONT_PROXY_DEFAULTS } from './front-proxy.ts';
import { CertificateVerifier, parseBundle } from './verify.ts';

export interface X509Config {
  /** PEM bundle of the authorities that sign client certificates. Default: `<data-dir>/pki/ca.crt`. */
  clientCA?: string;
  /** Authenticating proxies. Default: on when `<data-dir>/pki/front-proxy-ca.crt` is there. */
  frontProxy?: Partial<Omit<FrontProxyOptions, 'verifier'>> & { ca?: string };
  /** How many verified certificates are remembered. Default 5000. */
  cacheSize?: number;
}

export default definePlugin<'authn/v1', X509Config>('authn/v1', 'x509', { start: (ctx) => createX509(ctx) });

export function createX509(ctx: Pick<PluginContext<X509Config>, 'config' | 'dataDir'>): Authenticator {
  const { config } = ctx;
  let trust = config.clientCA ? readTrust(ctx) : undefined;
  return {
    // The cluster's own authority is made by the API server when it starts, which is after its extensions did.
    init() {
      trust ??= readTrust(ctx);
    },
    authenticate(request) {
      if (!request.peerCertificate || !trust) return null;
      if (trust.frontProxy) {
        try {
          const user = authenticateFrontProxy(request, trust.frontProxy);
          if (user) return user;
        } catch {
          // The headers alone prove nothing: the certificate may still be a client's own.
        }
      }
      return trust.clients.verify(request.peerCertificate);
    },
  };
}

interface Trust {
  clients: CertificateVerifier;
  frontProxy: FrontProxyOptions | undefined;
}

function readTrust({ config, dataDir }: Pick<PluginContext<X509Config>, 'config' | 'dataDir'>): Trust {
  const limits = { cacheSize: config.cacheSize ?? 5_000 };
  const clients = new CertificateVerifier(load(resolve(dataDir, config.clientCA ?? 'pki/ca.crt')), limits);
  const authorities = load(resolve(dataDir, config.frontProxy?.ca ?? 'pki/front-proxy-ca.crt'), config.frontProxy === undefined);
  const frontProxy = authorities.length
    ? { ...FRONT_PROXY_DEFAULTS, ...lowerCase(config.frontProxy), verifier: new CertificateVerifier(authorities, limits) }
    : undefined;
  return { clients, frontProxy };
}

function load(path: string, optional = false): ReturnType<typeof parseBundle> {
  try {
    const bundle = parseBundle(readFileSync(path, 'utf8'));
    if (bundle.length === 0) throw new Error('no PEM certificate inside');
    return bundle;
  } catch (cause) {
    if (optional && (cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw caUnreadable(path, cause);
  }
}

function lowerCase(options: X509Config['frontProxy']): Partial<FrontProxyOptions> {
  if (!options) return {};
  const { ca: _ca, allowedNames, ...headers } = options;
  const lowered = Object.fromEntries(Object.entries(headers).map(([key, names]) => [key, names?.map((name) => name.toLowerCase())]));
  return { ...lowered, ...(allowedNames ? { allowedNames } : {}) };
}

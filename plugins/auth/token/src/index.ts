/**
 * authn/token: who a request comes from, by its bearer token. In this order: the static token file, service account
 * tokens (`service-account.ts`), bootstrap tokens. Also lends the API server the `tokens` service (`requests.ts`).
 */

import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ApiReader, Authenticator, AuthnRequest, PluginContext, UserInfo } from '@kubernel/sdk';
import { definePlugin } from '@kubernel/sdk';
import { authenticateBootstrapToken } from './bootstrap-token.ts';
import { badTokenFile, invalidToken } from './errors.ts';
import { loadKeys } from './keys.ts';
import { issueFor, reviewWith } from './requests.ts';
import { ServiceAccountTokens } from './service-account.ts';
import { parseTokenFile } from './static-tokens.ts';

export interface TokenConfig {
  /** The `iss` of service account tokens. Default: `https://kubernetes.default.svc.<cluster domain>`. */
  issuer?: string;
  /** Audiences the API server answers to. Default: the issuer. */
  apiAudiences?: string[];
  /** Relative to the data directory. Defaults: `pki/sa.key`, `pki/sa.pub`. */
  signingKey?: string;
  publicKeys?: string;
  /** CSV of `token,user,uid,"groups"`, relative to the data directory. Default: none. */
  tokenFile?: string;
  /** Default true. */
  bootstrapTokens?: boolean;
  /** Tokens a kubelet asks for on behalf of pods live a year where they ask for 3607 seconds. Default true. */
  extendExpiration?: boolean;
  /** Upper bound of a token's life in seconds; 0: none. Default 0. */
  maxExpirationSeconds?: number;
}

type Context = Pick<PluginContext<TokenConfig>, 'config' | 'dataDir' | 'cluster'>;

export default definePlugin<'authn/v1', TokenConfig>('authn/v1', 'token', { start: (ctx) => createTokenAuthenticator(ctx) });

export function createTokenAuthenticator(ctx: Context, now: () => number = Date.now): Authenticator {
  const { config } = ctx;
  const issuer = config.issuer ?? `https://kubernetes.default.svc.${ctx.cluster.clusterDomain}`;
  const apiAudiences = config.apiAudiences ?? [issuer];
  const limits = {
    apiAudiences,
    extendExpiration: config.extendExpiration ?? true,
    maxExpirationSeconds: config.maxExpirationSeconds ?? 0,
  };
  const fixed = config.tokenFile ? readTokenFile(resolve(ctx.dataDir, config.tokenFile)) : new Map<string, UserInfo>();
  const keys = loadKeys(resolve(ctx.dataDir, config.signingKey ?? 'pki/sa.key'), resolve(ctx.dataDir, config.publicKeys ?? 'pki/sa.pub'));
  let cache: ApiReader | undefined;
  const reader = (): ApiReader => {
    if (!cache) throw invalidToken('the API server is still starting');
    return cache;
  };
  const accounts = new ServiceAccountTokens({ issuer, keys, reader, now });

  type Answer = { user: UserInfo; audiences: string[] };
  const authenticate = (token: string, audiences: readonly string[]): Answer | Promise<Answer> => {
    const plain = fixed.get(token) ?? (config.bootstrapTokens !== false && cache ? authenticateBootstrapToken(token, cache, now()) : null);
    if (plain) return { user: plain, audiences: [...audiences] };
    const judged = accounts.authenticate(token, audiences);
    return judged instanceof Promise ? judged.then(accepted) : accepted(judged);
  };

  return {
    init(apiReader) {
      cache = apiReader;
    },
    authenticate(request) {
      const token = bearerOf(request);
      if (token === undefined) return null;
      const answer = authenticate(token, apiAudiences);
      return answer instanceof Promise ? answer.then(({ user }) => user) : answer.user;
    },
    tokens: {
      issue: (serviceAccount, request) => issueFor(accounts, reader(), serviceAccount, request, limits),
      review: (review) => reviewWith(review, apiAudiences, async (token, audiences) => authenticate(token, audiences)),
      discovery: () => ({
        configuration: {
          issuer,
          jwks_uri: `${issuer}/openid/v1/jwks`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [...new Set(keys.verifying.map(({ algorithm }) => algorithm))].sort(),
        },
        keys: {
          keys: keys.verifying.map(({ id, algorithm, key }) => ({
            use: 'sig',
            ...createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' }),
            kid: id,
            alg: algorithm,
          })),
        },
      }),
    },
  };
}

function accepted<T>(judged: T | string | null): T {
  if (judged === null) throw invalidToken();
  if (typeof judged === 'string') throw invalidToken(judged);
  return judged;
}

const PROTOCOL_PREFIX = 'base64url.bearer.authorization.k8s.io.';

/** From `Authorization: Bearer …`, or from a WebSocket subprotocol, which is all a browser can set. */
function bearerOf({ headers }: AuthnRequest): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const space = authorization.indexOf(' ');
    if (space === 6 && authorization.slice(0, 6).toLowerCase() === 'bearer') return authorization.slice(7).trim() || undefined;
  }
  for (const protocol of headers['sec-websocket-protocol']?.split(',') ?? []) {
    const name = protocol.trim();
    if (name.startsWith(PROTOCOL_PREFIX)) return Buffer.from(name.slice(PROTOCOL_PREFIX.length), 'base64url').toString();
  }
  return undefined;
}

function readTokenFile(path: string): Map<string, UserInfo> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw badTokenFile(path, 0, `cannot be read: ${(cause as Error).message}`);
  }
  return parseTokenFile(text, path);
}

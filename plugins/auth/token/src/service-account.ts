/**
 * Service account tokens: JWTs whose claims name the account and what the token is bound to.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/, KEP-1205, KEP-4193.
 */
import { randomUUID } from 'node:crypto';
import type { ApiReader, UserInfo } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { compactVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TokenKeys, VerifyKey } from './keys.ts';

const LEGACY_ISSUER = 'kubernetes/serviceaccount';
/** A pod that is being deleted may use its token this long after its end was due. */
const DELETION_LEEWAY_MS = 60_000;

interface Reference {
  name: string;
  uid: string;
}

/** What a token says, in one shape for bound and legacy tokens. */
interface Claims {
  audiences: string[];
  /** Milliseconds; Infinity for legacy tokens, which do not expire. */
  expires: number;
  notBefore: number;
  id: string;
  namespace: string;
  serviceAccount: Reference;
  pod?: Reference;
  secret?: Reference;
  node?: Reference;
  legacy: boolean;
}

export interface IssueOptions {
  serviceAccount: Reference;
  namespace: string;
  audiences: readonly string[];
  /** Seconds. */
  lifetime: number;
  pod?: Reference;
  secret?: Reference;
  node?: Reference;
  /** Seconds after which a use of the token deserves a warning; for tokens whose life was extended beyond what was asked. */
  warnAfter?: number;
}

export interface Accepted {
  user: UserInfo;
  audiences: string[];
}

export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #keys: TokenKeys;
  readonly #reader: () => ApiReader;
  readonly #now: () => number;
  /** Claims of tokens whose signature is good. What they name is looked up again on each use. */
  readonly #verified: LRUCache<string, Claims>;

  constructor(options: { issuer: string; keys: TokenKeys; reader: () => ApiReader; now?: () => number; cacheBytes?: number }) {
    this.issuer = options.issuer;
    this.#keys = options.keys;
    this.#reader = options.reader;
    this.#now = options.now ?? Date.now;
    this.#verified = new LRUCache({ maxSize: options.cacheBytes ?? 16 << 20, sizeCalculation: (_claims, token) => token.length * 2 + 512 });
  }

  /** The token and its expiry in seconds since the epoch. */
  async issue(options: IssueOptions): Promise<{ token: string; expires: number }> {
    const now = Math.floor(this.#now() / 1000);
    const expires = now + options.lifetime;
    const token = await new SignJWT({
      'kubernetes.io': {
        namespace: options.namespace,
        ...(options.node ? { node: options.node } : {}),
        ...(options.pod ? { pod: options.pod } : {}),
        ...(options.secret ? { secret: options.secret } : {}),
        serviceaccount: options.serviceAccount,
        ...(options.warnAfter === undefined ? {} : { warnafter: now + options.warnAfter }),
      },
    })
      .setProtectedHeader({ alg: this.#keys.signing.algorithm, kid: this.#keys.signing.id })
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${options.namespace}:${options.serviceAccount.name}`)
      .setAudience([...options.audiences])
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expires)
      .setJti(randomUUID())
      .sign(this.#keys.signing.key);
    return { token, expires };
  }

  /**
   * Accepts, or says why not as a string; null when the token is not of this cluster's service accounts at all.
   * Synchronous for a token seen before. `audiences`: the token must be for one of them.
   */
  authenticate(token: string, audiences: readonly string[]): Accepted | string | null | Promise<Accepted | string | null> {
    const known = this.#verified.get(token);
    if (known) return this.#judge(token, known, audiences);
    const issuer = issuerOf(token);
    if (issuer !== this.issuer && issuer !== LEGACY_ISSUER) return null;
    return this.#verify(token).then((claims) => {
      if (typeof claims === 'string') return claims;
      this.#verified.set(token, claims);
      return this.#judge(token, claims, audiences);
    });
  }

  async #verify(token: string): Promise<Claims | string> {
    for (const { key, algorithm } of this.#candidates(token)) {
      let payload: Record<string, unknown>;
      try {
        // The signature alone: times are judged on each use, against the clock of the use.
        const { payload: bytes } = await compactVerify(token, key, { algorithms: [algorithm] });
        payload = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
      } catch {
        continue;
      }
      return claimsOf(payload) ?? 'service account token claims are incomplete';
    }
    return 'square/go-jose: error in cryptographic primitive';
  }

  #candidates(token: string): VerifyKey[] {
    const id = headerOf(token)?.kid;
    const named = this.#keys.verifying.filter((key) => key.id === id);
    return named.length > 0 ? named : this.#keys.verifying;
  }

  #judge(token: string, claims: Claims, wanted: readonly string[]): Accepted | string {
    const now = this.#now();
    if (now >= claims.expires) return 'service account token has expired';
    if (now < claims.notBefore) return 'service account token is not valid yet';
    const audiences = claims.legacy ? [...wanted] : claims.audiences.filter((audience) => wanted.includes(audience));
    if (audiences.length === 0) {
      return `token audiences ${goList(claims.audiences)} is invalid for the target audiences ${goList(wanted)}`;
    }
    return this.#stillThere(token, claims, now) ?? { user: userOf(claims), audiences };
  }

  /** Why what the token is bound to no longer stands behind it, or undefined. */
  #stillThere(token: string, { namespace, serviceAccount, pod, secret, node, legacy }: Claims, now: number): string | undefined {
    const reader = this.#reader();
    const account = reader.get('', 'serviceaccounts', namespace, serviceAccount.name);
    if (!account) return `serviceaccounts ${JSON.stringify(serviceAccount.name)} not found`;
    if (gone(account, now)) return `service account ${namespace}/${serviceAccount.name} has been deleted`;
    if (account.metadata.uid !== serviceAccount.uid) {
      return `service account UID (${account.metadata.uid}) does not match claim (${serviceAccount.uid})`;
    }
    if (secret) {
      const object = reader.get<KubeObject & { data?: Record<string, string> }>('', 'secrets', namespace, secret.name);
      if (!object || gone(object, now)) return 'service account token has been invalidated';
      if (legacy) {
        if (Buffer.from(object.data?.token ?? '', 'base64').toString() !== token) return "token does not match server's copy";
      } else if (object.metadata.uid !== secret.uid) {
        return `secret UID (${object.metadata.uid}) does not match service account secret ref claim (${secret.uid})`;
      }
    }
    if (pod) {
      const object = reader.get('', 'pods', namespace, pod.name);
      if (!object || gone(object, now)) return 'service account token has been invalidated';
      if (object.metadata.uid !== pod.uid)
        return `pod UID (${object.metadata.uid}) does not match service account pod ref claim (${pod.uid})`;
    } else if (node) {
      const object = reader.get('', 'nodes', '', node.name);
      if (!object || gone(object, now)) return 'service account token has been invalidated';
      if (object.metadata.uid !== node.uid)
        return `node UID (${object.metadata.uid}) does not match service account node ref claim (${node.uid})`;
    }
    return undefined;
  }
}

function gone(object: KubeObject, now: number): boolean {
  const { deletionTimestamp } = object.metadata;
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + DELETION_LEEWAY_MS < now;
}

function userOf({ namespace, serviceAccount, pod, node, id }: Claims): UserInfo {
  const extra: Record<string, string[]> = {};
  if (id) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${id}`];
  if (node) {
    extra['authentication.kubernetes.io/node-name'] = [node.name];
    if (node.uid) extra['authentication.kubernetes.io/node-uid'] = [node.uid];
  }
  if (pod) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name];
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid];
  }
  return {
    name: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
    uid: serviceAccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

function claimsOf(payload: Record<string, unknown>): Claims | undefined {
  if (payload.iss === LEGACY_ISSUER) {
    const namespace = payload['kubernetes.io/serviceaccount/namespace'];
    const name = payload['kubernetes.io/serviceaccount/service-account.name'];
    const uid = payload['kubernetes.io/serviceaccount/service-account.uid'];
    const secret = payload['kubernetes.io/serviceaccount/secret.name'];
    if (![namespace, name, uid, secret].every((claim) => typeof claim === 'string' && claim !== '')) return undefined;
    return {
      audiences: [],
      expires: Infinity,
      notBefore: 0,
      id: '',
      namespace: namespace as string,
      serviceAccount: { name: name as string, uid: uid as string },
      secret: { name: secret as string, uid: '' },
      legacy: true,
    };
  }
  const bound = payload['kubernetes.io'] as Record<string, unknown> | undefined;
  const account = referenceOf(bound?.serviceaccount);
  if (!bound || !account || typeof bound.namespace !== 'string' || typeof payload.exp !== 'number') return undefined;
  if (payload.sub !== `system:serviceaccount:${bound.namespace}:${account.name}`) return undefined;
  const [pod, secret, node] = [referenceOf(bound.pod), referenceOf(bound.secret), referenceOf(bound.node)];
  return {
    audiences: [payload.aud].flat().filter((audience) => typeof audience === 'string'),
    expires: payload.exp * 1000,
    notBefore: typeof payload.nbf === 'number' ? payload.nbf * 1000 : 0,
    id: typeof payload.jti === 'string' ? payload.jti : '',
    namespace: bound.namespace,
    serviceAccount: account,
    ...(pod ? { pod } : {}),
    ...(secret ? { secret } : {}),
    ...(node ? { node } : {}),
    legacy: false,
  };
}

function referenceOf(value: unknown): Reference | undefined {
  const { name, uid } = (value ?? {}) as Partial<Reference>;
  return typeof name === 'string' && name !== '' ? { name, uid: typeof uid === 'string' ? uid : '' } : undefined;
}

function goList(items: readonly string[]): string {
  return `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
}

function issuerOf(token: string): unknown {
  return part(token, 1)?.iss;
}

function headerOf(token: string): { kid?: unknown } | undefined {
  return part(token, 0);
}

/** A part of a token that is not verified yet: good for choosing who verifies it, for nothing else. */
function part(token: string, index: 0 | 1): Record<string, unknown> | undefined {
  const pieces = token.split('.', 4);
  if (pieces.length !== 3) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(pieces[index] ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

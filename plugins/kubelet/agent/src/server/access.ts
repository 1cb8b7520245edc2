import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { KubeObject } from '@kubernel/sdk/api';
import { type Client, SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from '@kubernel/sdk/client';

interface User {
  username: string;
  groups: string[];
  uid?: string;
}

/** Path prefix -> subresource of `nodes` that a caller needs. https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/ */
const SUBRESOURCES: readonly (readonly [string, string])[] = [
  ['/stats', 'stats'],
  ['/metrics', 'metrics'],
  ['/logs', 'log'],
  ['/pods', 'pods'],
  ['/healthz', 'healthz'],
  ['/configz', 'configz'],
];
const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const CACHE_MS = 10_000;

/**
 * Who may use the kubelet API: a client certificate of the cluster CA or a bearer token says who it is, and the API server
 * says whether that user may. The API server itself (group system:masters) is let in without asking it.
 */
export class Access {
  readonly #client: Client;
  readonly #decisions = new Map<string, { allowed: boolean; until: number }>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** 0: let in; 401 or 403 otherwise. */
  async check(request: IncomingMessage, path: string, nodeName: string): Promise<0 | 401 | 403> {
    const user = (await fromCertificate(request)) ?? (await this.#fromToken(request));
    if (!user) return 401;
    if (user.groups.includes('system:masters')) return 0;
    const subresource = SUBRESOURCES.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1] ?? 'proxy';
    // A stream that a WebSocket opens with GET is as good as one opened with POST.
    const upgraded = request.headers.upgrade !== undefined;
    const verb = upgraded ? 'create' : (VERBS[request.method ?? ''] ?? 'get');
    return (await this.#allowed(user, verb, subresource, nodeName)) ? 0 : 403;
  }

  async #fromToken(request: IncomingMessage): Promise<User | undefined> {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (!token) return undefined;
    const review = await this.#client.create<KubeObject>(TOKEN_REVIEWS, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
    const { authenticated, user } = (review.status ?? {}) as { authenticated?: boolean; user?: Partial<User> };
    return authenticated && user?.username
      ? { username: user.username, groups: user.groups ?? [], ...(user.uid ? { uid: user.uid } : {}) }
      : undefined;
  }

  async #allowed(user: User, verb: string, subresource: string, nodeName: string): Promise<boolean> {
    const key = JSON.stringify([user, verb, subresource, nodeName]);
    const known = this.#decisions.get(key);
    if (known && known.until > Date.now()) return known.allowed;
    const review = await this.#client.create<KubeObject>(SUBJECT_ACCESS_REVIEWS, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: user.username,
        groups: user.groups,
        ...(user.uid ? { uid: user.uid } : {}),
        resourceAttributes: { verb, group: '', version: 'v1', resource: 'nodes', subresource, name: nodeName },
      },
    });
    const allowed = (review.status as { allowed?: boolean } | undefined)?.allowed === true;
    if (this.#decisions.size > 1000) this.#decisions.clear();
    this.#decisions.set(key, { allowed, until: Date.now() + CACHE_MS });
    return allowed;
  }
}

/** TLS has verified the chain; the subject is the user (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates). */
async function fromCertificate(request: IncomingMessage): Promise<User | undefined> {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  if (!subject?.CN) return undefined;
  const groups = subject.O as string | string[] | undefined;
  return { username: String(subject.CN), groups: groups === undefined ? [] : [groups].flat() };
}

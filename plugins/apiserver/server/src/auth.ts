import type {
  Authenticator,
  AuthnRequest,
  Authorizer,
  AuthzAttributes,
  AuthzDecision,
  Extensions,
  PermissionRule,
  UserInfo,
} from '@kubernel/sdk';
import { LRUCache } from 'lru-cache';
import type { Authorize } from './api.ts';
import { forbidden, unauthorized } from './status.ts';

/** A token that was good stays good for this long, as upstream's token cache. */
const TOKEN_TTL_MS = 10_000;
/** A client certificate is looked at again this often on a connection that stays open. */
const CERTIFICATE_TTL_MS = 60_000;

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The identity behind a connection, which all its requests without a token share. */
export interface Connection {
  readonly peerCertificate: Uint8Array | undefined;
  user?: UserInfo;
  userUntil?: number;
}

/** Asks the authenticators in their order and remembers what they said for a little while. */
export class Authentication {
  readonly #authenticators: Extensions<Authenticator>;
  readonly #tokens = new LRUCache<string, UserInfo>({ max: 10_000, ttl: TOKEN_TTL_MS });
  #generation = 0;

  constructor(authenticators: Extensions<Authenticator>) {
    this.#authenticators = authenticators;
    authenticators.onChange(() => {
      this.#tokens.clear();
      this.#generation = Date.now();
    });
  }

  /** Null: no credentials at all. Throws 401 for bad ones. */
  authenticate(headers: AuthnRequest['headers'], connection: Connection): UserInfo | null | Promise<UserInfo | null> {
    const { authorization } = headers;
    if (authorization === undefined) {
      // Headers of an authenticating proxy make each request another user's.
      if (connection.user && (connection.userUntil ?? 0) > Math.max(Date.now(), this.#generation) && headers['x-remote-user'] === undefined)
        return connection.user;
    } else {
      const known = this.#tokens.get(authorization);
      if (known) return known;
    }
    return this.#ask(headers, connection);
  }

  async #ask(headers: AuthnRequest['headers'], connection: Connection): Promise<UserInfo | null> {
    const request: AuthnRequest = { headers, ...(connection.peerCertificate ? { peerCertificate: connection.peerCertificate } : {}) };
    let bad = false;
    for (const { instance } of this.#authenticators) {
      try {
        const answer = instance.authenticate(request);
        const user = answer instanceof Promise ? await answer : answer;
        if (!user) continue;
        const authenticated = withGroup(user);
        if (headers.authorization !== undefined) this.#tokens.set(headers.authorization, authenticated);
        else if (headers['x-remote-user'] === undefined) {
          connection.user = authenticated;
          connection.userUntil = Date.now() + CERTIFICATE_TTL_MS;
        }
        return authenticated;
      } catch {
        bad = true;
      }
    }
    if (bad || headers.authorization !== undefined) throw unauthorized();
    return null;
  }
}

function withGroup(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated') || user.name === ANONYMOUS.name) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}

/** Asks the authorizers in their order; the first that has an opinion decides. */
export class Authorization {
  readonly #authorizers: Extensions<Authorizer>;
  /** What the config grants to plugins by their manifests, by user name. */
  readonly #granted = new Map<string, readonly PermissionRule[]>();

  constructor(authorizers: Extensions<Authorizer>) {
    this.#authorizers = authorizers;
  }

  grant(user: string, rules: readonly PermissionRule[]): void {
    this.#granted.set(user, rules);
  }

  authorize(attributes: AuthzAttributes): AuthzDecision | Promise<AuthzDecision> {
    const rules = this.#granted.get(attributes.user.name);
    if (rules?.some((rule) => ruleAllows(rule, attributes))) return { decision: 'allow', reason: 'granted by the cluster config' };
    const reasons: string[] = [];
    const list = [...this.#authorizers];
    for (let index = 0; index < list.length; index++) {
      const answer = list[index]?.instance.authorize(attributes);
      if (answer instanceof Promise)
        return this.#rest(
          answer,
          list.slice(index + 1).map(({ instance }) => instance),
          attributes,
          reasons,
        );
      if (answer && answer.decision !== 'no-opinion') return answer;
      if (answer?.reason) reasons.push(answer.reason);
    }
    return { decision: 'no-opinion', reason: reasons.join(', ') };
  }

  async #rest(first: Promise<AuthzDecision>, others: Authorizer[], attributes: AuthzAttributes, reasons: string[]): Promise<AuthzDecision> {
    let answer = await first;
    for (const authorizer of [...others, undefined]) {
      if (answer.decision !== 'no-opinion') return answer;
      if (answer.reason) reasons.push(answer.reason);
      if (authorizer) answer = await authorizer.authorize(attributes);
    }
    return { decision: 'no-opinion', reason: reasons.join(', ') };
  }
}

/** Does a manifest's rule cover a request? The same matching as RBAC's PolicyRule. */
export function ruleAllows(rule: PermissionRule, attributes: AuthzAttributes): boolean {
  if (!covers(rule.verbs, attributes.verb)) return false;
  if (!attributes.resourceRequest) {
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === '*' || url === attributes.path || (url.endsWith('*') && attributes.path.startsWith(url.slice(0, -1))),
    );
  }
  if (!covers(rule.apiGroups, attributes.group)) return false;
  const resources = rule.resources ?? [];
  const combined = attributes.subresource ? `${attributes.resource}/${attributes.subresource}` : attributes.resource;
  if (!covers(resources, combined) && !(attributes.subresource && resources.includes(`*/${attributes.subresource}`))) return false;
  return !rule.resourceNames?.length || rule.resourceNames.includes(attributes.name);
}

function covers(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

/** Asks; undefined when the answer came at once and was yes. Throws a 403 that says who may not do what, and where. */
export function allow(api: { authorize: Authorize }, attributes: AuthzAttributes): Promise<void> | undefined {
  const decision = api.authorize(attributes);
  if (decision instanceof Promise) return decision.then((settled) => demand(attributes, settled));
  demand(attributes, decision);
  return undefined;
}

function demand(attributes: AuthzAttributes, { decision, reason }: AuthzDecision): void {
  if (decision === 'allow') return;
  throw forbidden(attributes.group, attributes.resource, attributes.name, denial(attributes, reason));
}

/** The words of a 403, as upstream prints who may not do what. */
export function denial(attributes: AuthzAttributes, reason: string | undefined): string {
  const { user, verb, resource, subresource, group, namespace, resourceRequest, path } = attributes;
  const suffix = reason ? `: ${reason}` : '';
  const who = `User ${JSON.stringify(user.name)}`;
  if (!resourceRequest) return `${who} cannot ${verb} path ${JSON.stringify(path)}${suffix}`;
  const what = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? ` in the namespace ${JSON.stringify(namespace)}` : ' at the cluster scope';
  return `${who} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)}${where}${suffix}`;
}

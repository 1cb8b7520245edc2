import type { KubeObject } from '../api/object.ts';
import type { ApiReader } from './api.ts';

/** authn/v1 and authz/v1: extensions that live in the API server's isolate and are called on each request. */

export interface UserInfo {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

export interface AuthnRequest {
  /** Lower-case header names. */
  headers: Record<string, string | undefined>;
  /** DER of the client certificate that TLS received (not yet verified against any CA), when there is one. */
  peerCertificate?: Uint8Array;
}

/**
 * Authenticators are tried in order. `null`: no credentials of this kind here, ask the next one.
 * Throw a KubernelError to say that credentials were there and are bad: the request ends in 401 unless another
 * authenticator accepts it. Return without a promise where possible: this is on the hot path.
 */
export interface Authenticator {
  /** Called once, before any request: `reader` answers from the API server's cache. */
  init?(reader: ApiReader): void | Promise<void>;
  /** Bearer tokens beyond authentication: lent to subresource actions and virtual resources as service `tokens`. */
  readonly tokens?: TokenService;
  authenticate(request: AuthnRequest): UserInfo | null | Promise<UserInfo | null>;
}

/** Issues and reviews bearer tokens (TokenRequest, TokenReview, service account issuer discovery). */
export interface TokenService {
  /**
   * Fills `status` (and the defaults of `spec`) of a TokenRequest for a service account that exists, and returns it.
   * Throws the StatusError upstream answers for a bad binding or a bad expiry. https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
   */
  issue(serviceAccount: KubeObject, request: KubeObject): Promise<KubeObject>;
  /** Fills `status` of a TokenReview and returns it; throws a 400 where `spec.token` is empty. */
  review(review: KubeObject): Promise<KubeObject>;
  /** Bodies of `/.well-known/openid-configuration` and `/openid/v1/jwks`. */
  discovery(): { configuration: Record<string, unknown>; keys: { keys: Record<string, unknown>[] } };
}

export interface AuthzAttributes {
  user: UserInfo;
  /** get list watch create update patch delete deletecollection, or any verb of a virtual resource; for non-resource requests the lower-case method. */
  verb: string;
  /** False: `path` is set and the resource fields are empty. */
  resourceRequest: boolean;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  path: string;
  /** The request's field selector as it came, for authorizers that allow a list of one's own objects only. */
  fieldSelector?: string;
}

export interface AuthzDecision {
  decision: 'allow' | 'deny' | 'no-opinion';
  reason?: string;
}

export interface ResourceRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
}
export interface NonResourceRule {
  verbs: string[];
  nonResourceURLs?: string[];
}

/** Authorizers are asked in order; the first `allow` or `deny` decides, and nobody's opinion is a deny. */
export interface Authorizer {
  /** Called once, before any request: `reader` answers from the API server's cache. */
  init?(reader: ApiReader): void | Promise<void>;
  /** Objects that must exist before the API server is ready (default roles and bindings): created, or reconciled, on start. */
  bootstrap?(): readonly BootstrapObject[];
  authorize(attributes: AuthzAttributes): AuthzDecision | Promise<AuthzDecision>;
  /** What a user may do in a namespace, for SelfSubjectRulesReview. */
  rulesFor?(
    user: UserInfo,
    namespace: string,
  ): { resourceRules: ResourceRule[]; nonResourceRules: NonResourceRule[]; incomplete?: boolean };
}

export interface BootstrapObject {
  group: string;
  version: string;
  resource: string;
  object: KubeObject;
  /**
   * What to write over `existing` so that it holds at least what `object` says, or undefined when it does already (or
   * when whoever owns the cluster switched reconciliation off for it). Replaced objects that must be made anew
   * (`recreate`) are deleted first: a binding's roleRef cannot change.
   */
  reconcile(existing: KubeObject): { object: KubeObject; recreate?: boolean } | undefined;
}

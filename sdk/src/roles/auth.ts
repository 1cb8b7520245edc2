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
  authenticate(request: AuthnRequest): UserInfo | null | Promise<UserInfo | null>;
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
  authorize(attributes: AuthzAttributes): AuthzDecision | Promise<AuthzDecision>;
  /** What a user may do in a namespace, for SelfSubjectRulesReview. */
  rulesFor?(user: UserInfo, namespace: string): { resourceRules: ResourceRule[]; nonResourceRules: NonResourceRule[]; incomplete?: boolean };
}

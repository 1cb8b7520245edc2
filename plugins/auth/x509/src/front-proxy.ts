import type { AuthnRequest, UserInfo } from '@kubernel/sdk';
import { certificateRejected } from './errors.ts';
import type { CertificateVerifier } from './verify.ts';

export interface FrontProxyOptions {
  verifier: CertificateVerifier;
  /** Common names a proxy may have; empty: any certificate of the front-proxy CA. */
  allowedNames: readonly string[];
  /** Header names, looked at in order; lower case. */
  usernameHeaders: readonly string[];
  uidHeaders: readonly string[];
  groupHeaders: readonly string[];
  extraHeaderPrefixes: readonly string[];
}

export const FRONT_PROXY_DEFAULTS = {
  allowedNames: [] as readonly string[],
  usernameHeaders: ['x-remote-user'],
  uidHeaders: ['x-remote-uid'],
  groupHeaders: ['x-remote-group'],
  extraHeaderPrefixes: ['x-remote-extra-'],
};

/**
 * The user an authenticating proxy vouches for, or null when the request carries no such headers. The proxy proves
 * itself with a certificate of the front-proxy CA. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy
 *
 * A header that came several times arrives joined by commas; groups are split there, so a group name cannot hold a comma.
 */
export function authenticateFrontProxy(request: AuthnRequest, options: FrontProxyOptions): UserInfo | null {
  const { headers } = request;
  const name = firstOf(headers, options.usernameHeaders);
  if (!name || !request.peerCertificate) return null;
  const proxy = options.verifier.verify(request.peerCertificate);
  if (options.allowedNames.length > 0 && !options.allowedNames.includes(proxy.name)) {
    throw certificateRejected(proxy.name, 'this common name may not act as a front proxy');
  }
  const groups = options.groupHeaders.flatMap((header) => listOf(headers[header]));
  const uid = firstOf(headers, options.uidHeaders);
  const extra: Record<string, string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    for (const prefix of options.extraHeaderPrefixes) {
      if (!header.startsWith(prefix) || value === undefined) continue;
      extra[unescapeKey(header.slice(prefix.length))] = listOf(value);
      break;
    }
  }
  return { name, groups, ...(uid ? { uid } : {}), ...(Object.keys(extra).length ? { extra } : {}) };
}

function firstOf(headers: AuthnRequest['headers'], names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (value) return value;
  }
  return undefined;
}

function listOf(value: string | undefined): string[] {
  return value
    ? value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
    : [];
}

/** Extra keys are percent-encoded in header names; one that is not well-formed is taken as it is. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

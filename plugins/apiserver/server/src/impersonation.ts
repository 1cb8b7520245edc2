import type { AuthzAttributes, UserInfo } from '@kubernel/sdk';
import { badRequest } from './status.ts';

/** Whom a request wants to act as, and what its real user must be allowed for that. */
export interface Impersonation {
  user: UserInfo;
  /** Each must be allowed to the real user; the first that is not is the refusal. */
  checks: AuthzAttributes[];
}

const EXTRA = 'impersonate-extra-';
const ACCOUNT = /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):([a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)$/;

/**
 * Reads the `Impersonate-*` headers; undefined when there are none. Takes each header as it came (not joined: a group
 * may hold a comma). Throws a 400 for groups, uid or extra without a user.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export function impersonationOf(real: UserInfo, headers: Iterable<readonly [name: string, value: string]>): Impersonation | undefined {
  let name = '';
  let uid = '';
  const groups: string[] = [];
  const extra: Record<string, string[]> = {};
  for (const [header, value] of headers) {
    const lower = header.toLowerCase();
    if (!lower.startsWith('impersonate-')) continue;
    if (lower === 'impersonate-user') name ||= value;
    else if (lower === 'impersonate-uid') uid ||= value;
    else if (lower === 'impersonate-group') groups.push(value);
    else if (lower.startsWith(EXTRA)) (extra[unescapeKey(lower.slice(EXTRA.length))] ??= []).push(value);
  }
  const hasExtra = Object.keys(extra).length > 0;
  if (name === '') {
    if (uid === '' && groups.length === 0 && !hasExtra) return undefined;
    throw badRequest(`requested ${printUser(uid, groups, hasExtra ? extra : undefined)} without impersonating a user name`);
  }

  const account = ACCOUNT.exec(name);
  const checks: AuthzAttributes[] = [];
  const check = (group: string, resource: string, about: string, subresource = '', namespace = ''): void => {
    checks.push({
      user: real,
      verb: 'impersonate',
      resourceRequest: true,
      group,
      version: 'v1',
      resource,
      subresource,
      namespace,
      name: about,
      path: '',
    });
  };
  if (account) check('', 'serviceaccounts', account[2] ?? '', '', account[1]);
  else check('', 'users', name);
  for (const group of groups) check('', 'groups', group);
  for (const [key, values] of Object.entries(extra)) for (const value of values) check('authentication.k8s.io', 'userextras', value, key);
  if (uid !== '') check('authentication.k8s.io', 'uids', uid);

  const effective = groups.length === 0 && account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : groups;
  const anonymous = name === 'system:anonymous';
  const implied = anonymous ? 'system:unauthenticated' : 'system:authenticated';
  const all = effective.includes(implied) ? effective : [...effective, implied];
  return { user: { name, ...(uid ? { uid } : {}), groups: all, ...(hasExtra ? { extra } : {}) }, checks };
}

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** A user without a name as Go's `%#v` prints it, which is what upstream answers with. */
function printUser(uid: string, groups: readonly string[], extra: Record<string, string[]> | undefined): string {
  const list = (items: readonly string[]): string => `{${items.map((item) => JSON.stringify(item)).join(', ')}}`;
  const groupText = groups.length > 0 ? `[]string${list(groups)}` : '[]string(nil)';
  const entries = Object.entries(extra ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const extraText = extra
    ? `map[string][]string{${entries.map(([key, values]) => `${JSON.stringify(key)}:[]string${list(values)}`).join(', ')}}`
    : 'map[string][]string(nil)';
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:${extraText}}`;
}

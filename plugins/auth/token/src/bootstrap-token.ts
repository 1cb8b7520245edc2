import { timingSafeEqual } from 'node:crypto';
import type { ApiReader, UserInfo } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

const SHAPE = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/**
 * A node that joins: `<id>.<secret>`, kept in Secret kube-system/bootstrap-token-<id>.
 * Null when the token has another shape or is not good. https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
export function authenticateBootstrapToken(token: string, reader: ApiReader, now: number): UserInfo | null {
  const match = SHAPE.exec(token);
  if (!match) return null;
  const [, id = '', secret = ''] = match;
  const object = reader.get<KubeObject & { type?: string; data?: Record<string, string> }>(
    '',
    'secrets',
    'kube-system',
    `bootstrap-token-${id}`,
  );
  if (!object || object.metadata.deletionTimestamp || object.type !== 'bootstrap.kubernetes.io/token') return null;
  const field = (name: string): string => Buffer.from(object.data?.[name] ?? '', 'base64').toString();
  if (!equal(field('token-secret'), secret) || field('token-id') !== id) return null;
  const expiration = field('expiration');
  if (expiration !== '' && !(Date.parse(expiration) > now)) return null;
  if (field('usage-bootstrap-authentication') !== 'true') return null;
  const extraGroups = field('auth-extra-groups')
    .split(',')
    .filter((group) => group !== '');
  // One bad group makes the whole token bad: an administrator who mistyped must not get fewer groups silently.
  if (!extraGroups.every((group) => GROUP.test(group))) return null;
  return { name: `system:bootstrap:${id}`, groups: [...new Set(['system:bootstrappers', ...extraGroups])] };
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

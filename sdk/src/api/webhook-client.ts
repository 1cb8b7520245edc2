import type { FieldErrors, FieldPath } from './field-errors.ts';
import { dns1123Subdomain, portNumber } from './names.ts';
import type { Decoded } from './object.ts';

/** Where webhooks are called: of admission and of the conversion of custom resources. */

const FORM = '; desired format: https://host[/path]';

/** Upstream takes a service's name for its namespace with admission webhooks (`swapped`): so errors name the other one. */
export function checkClientConfig(config: Decoded, path: FieldPath, errors: FieldErrors, swapped = false): void {
  const { url, service } = config;
  if ((url == null) === (service == null)) errors.required(path, 'exactly one of url or service is required');
  else if (url != null) checkUrl(url, path.child('url'), errors);
  else checkService(swapped ? { ...service, name: service.namespace, namespace: service.name } : service, path.child('service'), errors);
}

interface UrlParts {
  scheme: string;
  host: string;
  user: string | undefined;
  fragment: string;
  query: string;
}

/** A URL's parts as Go's url.Parse finds them, or why it does not. */
function partsOf(text: string): UrlParts | string {
  const hash = text.indexOf('#');
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  let rest = hash < 0 ? text : text.slice(0, hash);
  if ([...rest].some((char) => char < ' ' || char === '\x7f')) return 'net/url: invalid control character in URL';
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest)?.[1] ?? '';
  if (rest.startsWith(':')) return 'missing protocol scheme';
  if (scheme) rest = rest.slice(scheme.length + 1);
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  if (!scheme && rest.split('/')[0]?.includes(':')) return 'first path segment in URL cannot contain colon';
  if (!rest.startsWith('//')) return { scheme: scheme.toLowerCase(), host: '', user: undefined, fragment, query };
  const authority = rest.slice(2).split('/')[0] ?? '';
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const bad = /[\s<>"^`{|}\\]/.exec(host)?.[0];
  if (bad) return `invalid character ${JSON.stringify(bad)} in host name`;
  const port = /:([^\]:]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) return `invalid port ":${port}" after host`;
  return { scheme: scheme.toLowerCase(), host, user: at < 0 ? undefined : authority.slice(0, at), fragment, query };
}

function checkUrl(text: string, path: FieldPath, errors: FieldErrors): void {
  const parts = partsOf(text);
  if (typeof parts === 'string') {
    errors.required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: ${parts}${FORM}`);
    return;
  }
  const { scheme, host, user, fragment, query } = parts;
  if (scheme !== 'https') errors.invalid(path, scheme, `'https' is the only allowed URL scheme${FORM}`);
  if (host === '') errors.invalid(path, host, `host must be specified${FORM}`);
  if (user !== undefined) errors.invalid(path, user, 'user information is not permitted in the URL');
  if (fragment) errors.invalid(path, fragment, 'fragments are not permitted in the URL');
  if (query) errors.invalid(path, query, 'query parameters are not permitted in the URL');
}

function checkService({ name = '', namespace = '', path, port = 443 }: Decoded, at: FieldPath, errors: FieldErrors): void {
  if (!name) errors.required(at.child('name'));
  if (!namespace) errors.required(at.child('namespace'));
  const messages = portNumber(port);
  if (messages.length > 0) errors.invalid(at.child('port'), port, `port is not valid: ${messages.join(', ')}`);
  if (path) checkPath(path, at.child('path'), errors);
}

function checkPath(path: string, at: FieldPath, errors: FieldErrors): void {
  if (path === '/') return;
  if (path === '//') {
    errors.invalid(at, path, 'segment[0] may not be empty');
    return;
  }
  if (!path.startsWith('/')) errors.invalid(at, path, "must start with a '/'");
  const inner = path.slice(1).replace(/\/$/, '');
  inner.split('/').forEach((segment, i) => {
    if (segment === '') errors.invalid(at, path, `segment[${i}] may not be empty`);
    else for (const message of dns1123Subdomain(segment)) errors.invalid(at, path, `segment[${i}]: ${message}`);
  });
}

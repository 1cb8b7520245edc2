/**
 * What a path asks for: the attributes that authorization, metrics and the handlers go by
 * (https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb).
 */
export interface RequestInfo {
  resourceRequest: boolean;
  /** get list watch create update patch delete deletecollection; lower-case method for non-resource requests. */
  verb: string;
  group: string;
  version: string;
  namespace: string;
  resource: string;
  subresource: string;
  name: string;
  /** What follows `…/proxy/`, without the leading slash. */
  rest: string;
  /** Path segments after the group and version, for what is none of the known shapes. */
  extra: boolean;
  path: string;
}

const VERBS: Record<string, string> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Subresources of a namespace; anything else after its name is a resource in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** `path` is without query and still percent-encoded. A malformed escape is kept as it is. */
export function parseRequestInfo(method: string, path: string): RequestInfo {
  const info: RequestInfo = {
    resourceRequest: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
    extra: false,
    path,
  };
  const parts = segments(path);
  let at = 0;
  if (parts[0] === 'api' && parts.length >= 3) {
    info.version = parts[1] as string;
    at = 2;
  } else if (parts[0] === 'apis' && parts.length >= 4) {
    info.group = parts[1] as string;
    info.version = parts[2] as string;
    at = 3;
  } else {
    return info;
  }
  info.resourceRequest = true;
  info.verb = VERBS[method] ?? '';
  if (parts[at] === 'watch' && parts.length > at + 1) {
    info.verb = 'watch';
    at++;
  } else if (parts[at] === 'proxy' && parts.length > at + 1) {
    info.verb = 'proxy';
    at++;
  }
  if (parts[at] === 'namespaces') {
    if (parts.length > at + 1) {
      info.namespace = parts[at + 1] as string;
      // namespaces/x and its subresources are about the namespace itself; more segments are about something in it.
      if (parts.length > at + 2 && !NAMESPACE_SUBRESOURCES.has(parts[at + 2] as string)) at += 2;
    }
  }
  info.resource = parts[at] ?? '';
  info.name = parts[at + 1] ?? '';
  info.subresource = parts[at + 2] ?? '';
  if (parts.length > at + 3) {
    if (info.subresource === 'proxy') info.rest = restOf(path, parts.length - at - 3);
    else info.extra = true;
  }
  if (info.name === '') {
    if (info.verb === 'get') info.verb = 'list';
    else if (info.verb === 'delete') info.verb = 'deletecollection';
  }
  return info;
}

/** Decoded, non-empty segments (a trailing slash does not count). */
function segments(path: string): string[] {
  const parts = path.split('/');
  parts.shift();
  if (parts.at(-1) === '') parts.pop();
  if (path.indexOf('%') < 0) return parts;
  return parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

function restOf(path: string, count: number): string {
  const parts = path.split('/');
  const trailing = parts.at(-1) === '' ? 1 : 0;
  return parts.slice(parts.length - count - trailing).join('/');
}

import { createHash } from 'node:crypto';
import type { TokenService } from '@kubernel/sdk';
import { negotiate } from './accept.ts';
import type { Api } from './api.ts';
import type { Document, Documents } from './non-resource.ts';
import { aggregatedDiscovery, legacyDiscovery } from './schema/discovery.ts';
import { noRepresentation, notAcceptable } from './status.ts';

/**
 * Version, discovery and OpenAPI: made from the registry when they are first asked for, and again when the set of groups
 * has changed. `serverAddress` is told to clients of the oldest discovery.
 */
export function documents(api: Api, serverAddress: () => string): Documents {
  let made:
    | {
        registry: Api['registry'];
        revision: number;
        legacy: Map<string, object>;
        v3: Map<string, () => object>;
        texts: Map<string, Document>;
      }
    | undefined;
  const current = () => {
    if (made?.registry !== api.registry || made.revision !== api.registry.revision) {
      const { registry } = api;
      made = {
        registry,
        revision: registry.revision,
        legacy: legacyDiscovery(registry.groups, serverAddress()),
        v3: api.openApi?.v3(registry.customGroups) ?? new Map(),
        texts: new Map(),
      };
    }
    return made;
  };
  const schemas = new WeakMap<() => object, Document>();
  /** Serialised and tagged once for each set of groups; schemas of a group version as long as that one stays what it is. */
  const once = (key: string, contentType: string, make: () => object): Document => {
    const { texts, v3 } = current();
    const ofGroup = v3.get(key) === make;
    let document = ofGroup ? schemas.get(make) : texts.get(key);
    if (!document) {
      const body = JSON.stringify(make());
      document = {
        contentType,
        body,
        etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`,
        headers: { Vary: 'Accept' },
      };
      if (ofGroup) schemas.set(make, document);
      else texts.set(key, document);
    }
    return document;
  };
  const aggregated = (at: '/api' | '/apis', media: string): Document => {
    const json = once(`aggregated ${at}`, `application/json;${AGGREGATED}`, () => aggregatedDiscovery(api.registry.groups, at));
    if (media === 'application/json') return json;
    const target = { type: 'apidiscovery.v2.APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', kind: 'APIGroupDiscoveryList' };
    const bytes = api.codec.encodeProtobuf?.(target, json.body.toString());
    return bytes ? { ...json, contentType: `${media};${AGGREGATED}`, body: Buffer.from(bytes) } : json;
  };
  const tokens = (): TokenService | undefined => api.services.get('tokens') as TokenService | undefined;
  return {
    get(path, accept, query) {
      const at = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
      switch (at) {
        case '/version':
          if (negotiate(accept)?.mediaType !== 'application/json') return { code: 406, contentType: 'application/yaml', body: '' };
          return { contentType: 'application/json', body: JSON.stringify(VERSION, null, 2) };
        case '/':
          return { contentType: 'application/json', body: JSON.stringify({ paths: rootPaths(current().legacy.keys()) }) };
        case '/.well-known/openid-configuration': {
          const found = tokens()?.discovery();
          return found && { contentType: 'application/json', body: JSON.stringify(found.configuration) };
        }
        case '/openid/v1/jwks': {
          const found = tokens()?.discovery();
          return found && { contentType: 'application/jwk-set+json', body: JSON.stringify(found.keys) };
        }
        case '/api':
        case '/apis': {
          const shape = aggregatedAccepted(accept);
          if (shape) return aggregated(at, shape);
          break;
        }
      }
      if (at === '/openapi/v2')
        return (
          api.openApi &&
          openApiV2Document(accept, () => once('openapi/v2', 'application/json', () => api.openApi?.v2(api.registry.customGroups) ?? {}))
        );
      if (at === '/openapi/v3') return once('openapi/v3', 'application/json', () => index(current().v3, once));
      if (at.startsWith('/openapi/v3/')) {
        const name = at.slice('/openapi/v3/'.length);
        const make = current().v3.get(name);
        return make && hashed(once(name, 'application/json', make), at, new URLSearchParams(query).get('hash'));
      }
      const legacy = current().legacy.get(at);
      if (!legacy) return undefined;
      if (!negotiate(accept))
        throw /\*\/\*|application\/(json|yaml|vnd\.kubernetes\.protobuf)/.test(accept) ? notAcceptable(SERVED) : noRepresentation(SERVED);
      return { ...once(at, 'application/json', () => legacy), negotiable: true };
    },
  };
}

const SERVED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

type Once = (key: string, contentType: string, make: () => object) => Document;

/** Where each document of OpenAPI v3 is, under an address that changes with it, so that clients may keep it for ever. */
function index(documents: ReadonlyMap<string, () => object>, once: Once): object {
  const paths = [...documents].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    paths: Object.fromEntries(
      paths.map(([name, make]) => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${tagOf(once(name, 'application/json', make))}` }]),
    ),
  };
}

function tagOf({ etag = '' }: Document): string {
  return etag.replaceAll('"', '');
}

function hashed(document: Document, path: string, asked: string | null): Document {
  if (!asked) return document;
  const tag = tagOf(document);
  if (asked !== tag) return { code: 301, contentType: 'text/plain', body: '', headers: { Location: `${path}?hash=${tag}` } };
  return {
    ...document,
    headers: { ...document.headers, 'Cache-Control': 'public, immutable', Expires: new Date(Date.now() + 365 * 86_400_000).toUTCString() },
  };
}

/** Old clients prefer a protobuf form of v2, which is not made; those that insist on it are told so. */
function openApiV2Document(accept: string, json: () => Document): Document {
  if (accept === '' || /\*\/\*|application\/json/.test(accept)) return json();
  throw notAcceptable(['application/json']);
}

const AGGREGATED = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** The media type of the aggregated form (KEP-3352), when the client prefers it. Only its v2 is made. */
function aggregatedAccepted(accept: string): 'application/json' | 'application/vnd.kubernetes.protobuf' | undefined {
  for (const clause of accept.split(',')) {
    const [media = '', ...rest] = clause.split(';').map((part) => part.trim());
    if (media !== 'application/json' && media !== 'application/vnd.kubernetes.protobuf') continue;
    const parameters = new Set(rest);
    // A plain type that comes first wins over an aggregated one behind it.
    if (!parameters.has('as=APIGroupDiscoveryList') || !parameters.has('g=apidiscovery.k8s.io')) return undefined;
    if (parameters.has('v=v2')) return media;
  }
  return undefined;
}

/** What `GET /` lists. */
function rootPaths(discovery: Iterable<string>): string[] {
  const own = [
    '/.well-known/openid-configuration',
    '/apis/',
    '/healthz',
    '/livez',
    '/readyz',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/openid/v1/jwks',
    '/version',
  ];
  return [...new Set([...own, ...discovery])].sort();
}

/** The API level that clients see. */
const VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2+kubernel',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: `node${process.versions.node}`,
  compiler: 'v8',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};

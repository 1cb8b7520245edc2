import type { ApiResponse } from '@kubernel/sdk';
import { negotiate } from './accept.ts';
import type { Api } from './api.ts';
import { allow } from './auth.ts';
import type { Call } from './call.ts';
import type { Health } from './health.ts';
import { type Answer, encoded, renderStatus } from './render.ts';
import { methodNotAllowed, toStatus, unknownResource } from './status.ts';

/** A document of discovery or OpenAPI: who makes them hands out text, and a tag that changes with it. */
export interface Documents {
  /** Undefined: no such document. `accept` decides between legacy and aggregated discovery. */
  get(path: string, accept: string, query: string): Document | undefined;
}

export interface Document {
  /** Default 200. */
  code?: number;
  /** JSON that the client may also have as YAML. */
  negotiable?: boolean;
  contentType: string;
  body: string | Buffer;
  etag?: string;
  headers?: Record<string, string>;
}

/** Answers without credentials, and nothing else does. */
export const PUBLIC = /^\/(healthz|livez|readyz|version)(\/|$)/;

const HEALTH = /^\/(healthz|livez|readyz)(?:\/(.+))?$/;

/** Everything that is not a resource: health, version, discovery, OpenAPI, metrics. `http/routes.ts` serves it over HTTP. */
export class NonResource {
  readonly #api: Api;
  readonly #health: Health;
  readonly #documents: Documents;
  readonly #metrics: () => Promise<string>;

  constructor(api: Api, health: Health, documents: Documents, metrics: () => Promise<string>) {
    this.#api = api;
    this.#health = health;
    this.#documents = documents;
    this.#metrics = metrics;
  }

  /** For in-process clients: refusals come back as an answer, too. */
  readonly respond = async (call: Call): Promise<ApiResponse> => {
    try {
      await this.authorize(call);
      const { code, body } = await this.answer(call);
      return { code, body: String(body) };
    } catch (error) {
      const status = toStatus(error);
      return { code: status.code ?? 500, body: JSON.stringify(status) };
    }
  };

  async authorize(call: Call): Promise<void> {
    if (PUBLIC.test(call.path)) return;
    const none = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '' };
    const attributes = { user: call.user, verb: call.method.toLowerCase(), resourceRequest: false, ...none, path: call.path };
    await allow(this.#api, attributes);
  }

  /** `known`: the tag of what the client has already. */
  async answer(call: Call, known?: string): Promise<Answer> {
    const probe = HEALTH.exec(call.path);
    if (probe) return this.#probe(probe[1] as 'healthz' | 'livez' | 'readyz', probe[2], call);
    if (call.path === '/metrics') return text(200, await this.#metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    try {
      const document = this.#documents.get(call.path, call.accept, call.query.toString());
      if (document) return this.#document(document, call, known);
      // Unknown versions of known groups and of the core are API errors; anything else is none of the API's business.
      if (/^\/(api|apis\/[^/]+)\/[^/]+\/?$/.test(call.path)) throw unknownResource();
    } catch (error) {
      return renderStatus(this.#api, toStatus(error), negotiate(call.accept));
    }
    if (call.path.startsWith('/openapi/v3/')) return { code: 404, contentType: '', body: '' };
    return text(404, '404 page not found\n');
  }

  async #probe(probe: 'healthz' | 'livez' | 'readyz', name: string | undefined, call: Call): Promise<Answer> {
    const answer = name
      ? await this.#health.checkOne(probe, name)
      : await this.#health.check(probe, new URLSearchParams(call.query.toString()));
    return answer ? text(answer.ok ? 200 : 500, answer.text) : text(404, '404 page not found\n');
  }

  #document(document: Document, call: Call, known: string | undefined): Answer {
    // Discovery of the groups answers any method with the same document, as upstream.
    if (call.method !== 'GET' && call.path !== '/' && !/^\/apis\/?$/.test(call.path)) throw methodNotAllowed();
    const headers = { ...(document.etag ? { ETag: document.etag } : {}), ...document.headers };
    if (document.etag && known === document.etag) return { code: 304, contentType: '', body: '', headers };
    const as = document.negotiable ? negotiate(call.accept) : null;
    if (as && as.mediaType !== 'application/json') {
      const json = document.body.toString();
      return { ...encoded(this.#api, 200, json, { ...as, as: undefined }, discoveryTarget(json)), headers };
    }
    return { code: document.code ?? 200, contentType: document.contentType, body: document.body, headers };
  }
}

/** The protobuf type of a legacy discovery document, by its kind. */
function discoveryTarget(json: string): { type: string; apiVersion: string; kind: string } {
  const { kind } = JSON.parse(json) as { kind: string };
  return { type: `meta.v1.${kind}`, apiVersion: 'v1', kind };
}

function text(code: number, body: string, contentType = 'text/plain; charset=utf-8'): Answer {
  return { code, contentType, body, headers: { 'X-Content-Type-Options': 'nosniff' } };
}

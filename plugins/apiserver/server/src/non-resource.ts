import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { ApiResponse } from '@kubernel/sdk';
import { Hono } from 'hono';
import { negotiate } from './accept.ts';
import type { Api } from './api.ts';
import { denial } from './auth.ts';
import type { Call } from './call.ts';
import type { Health } from './health.ts';
import { encoded, renderStatus } from './render.ts';
import { forbidden, methodNotAllowed, toStatus, unauthorized, unknownResource } from './status.ts';

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

/** The same for in-process clients. */
export type NonResourceAnswer = (call: Call) => Promise<ApiResponse>;

interface Bindings {
  call: Call;
}

/** Everything that is not a resource: health, version, discovery, OpenAPI, metrics. */
export class NonResource {
  readonly #api: Api;
  readonly #listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly #calls = new WeakMap<IncomingMessage, Call>();
  readonly #app: Hono<{ Bindings: Bindings }>;

  constructor(api: Api, health: Health, documents: Documents, metrics: () => Promise<string>) {
    this.#api = api;
    this.#app = routes(api, health, documents, metrics);
    this.#listener = getRequestListener(
      async (request, env) =>
        this.#app.fetch(request, { call: this.#calls.get(env.incoming as IncomingMessage) as Call } satisfies Bindings),
      {
        overrideGlobalObjects: false,
      },
    );
  }

  async handle(request: IncomingMessage, response: ServerResponse, call: Call): Promise<void> {
    await this.#authorize(call);
    this.#calls.set(request, call);
    await this.#listener(request, response);
  }

  /** Refusals come back as an answer, as everything an in-process client gets. */
  readonly answer: NonResourceAnswer = async (call) => {
    try {
      await this.#authorize(call);
    } catch (error) {
      return { code: toStatus(error).code ?? 500, body: JSON.stringify(toStatus(error)) };
    }
    const headers = { accept: call.accept };
    const response = await this.#app.fetch(new Request(`http://localhost${call.path}`, { method: call.method, headers }), { call });
    return { code: response.status, body: await response.text() };
  };

  async #authorize(call: Call): Promise<void> {
    if (!PUBLIC.test(call.path)) {
      const attributes = {
        user: call.user,
        verb: call.method.toLowerCase(),
        resourceRequest: false,
        group: '',
        version: '',
        resource: '',
        subresource: '',
        namespace: '',
        name: '',
        path: call.path,
      };
      const decision = await this.#api.authorize(attributes);
      if (decision.decision !== 'allow')
        throw call.user.name === 'system:anonymous' ? unauthorized() : forbidden('', '', '', denial(attributes, decision.reason));
    }
  }
}

const PUBLIC = /^\/(healthz|livez|readyz|version)(\/|$)/;

function routes(api: Api, health: Health, documents: Documents, metrics: () => Promise<string>): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>({ strict: false });
  for (const kind of ['healthz', 'livez', 'readyz'] as const) {
    app.get(`/${kind}`, async (context) => {
      const answer = await health.check(kind, new URL(context.req.url).searchParams);
      return text(answer.ok ? 200 : 500, answer.text);
    });
    app.get(`/${kind}/:name{.+}`, async (context) => {
      const answer = await health.checkOne(kind, context.req.param('name'));
      return answer ? text(answer.ok ? 200 : 500, answer.text) : notFoundText();
    });
  }
  app.get('/metrics', async () => text(200, await metrics(), 'text/plain; version=0.0.4; charset=utf-8'));
  app.all('*', (context) => {
    const { call } = context.env;
    let document: Document | undefined;
    try {
      document = documents.get(call.path, call.accept, context.req.url.split('?')[1] ?? '');
    } catch (error) {
      return status(api, call, { status: toStatus(error) });
    }
    if (document) {
      // Discovery of the groups answers any method with the same document, as upstream.
      const anyMethod = call.path === '/' || /^\/apis\/?$/.test(call.path);
      if (call.method !== 'GET' && !anyMethod) return status(api, call, methodNotAllowed());
      return answerOf(api, document, call, context.req.header('if-none-match'));
    }
    // Unknown versions of known groups and of the core are API errors; anything else is none of the API's business.
    if (/^\/(api|apis\/[^/]+)\/[^/]+\/?$/.test(call.path)) {
      return status(api, call, unknownResource());
    }
    if (call.path.startsWith('/openapi/v3/')) return new Response(null, { status: 404 });
    return notFoundText();
  });
  return app;
}

function answerOf(api: Api, document: Document, call: Call, known: string | undefined): Response {
  if (document.etag && known === document.etag) return new Response(null, { status: 304, headers: { ETag: document.etag } });
  const as = document.negotiable ? negotiate(call.accept) : null;
  const headers = { 'Cache-Control': 'no-cache, private', ...(document.etag ? { ETag: document.etag } : {}), ...document.headers };
  if (as && as.mediaType !== 'application/json') {
    const answer = encoded(api, 200, document.body.toString(), { ...as, as: undefined }, discoveryTarget(document.body.toString()));
    return new Response(answer.body as string, { status: 200, headers: { ...headers, 'Content-Type': answer.contentType } });
  }
  return new Response(document.body as string, {
    status: document.code ?? 200,
    headers: { ...headers, 'Content-Type': document.contentType },
  });
}

/** The protobuf type of a legacy discovery document, by its kind. */
function discoveryTarget(json: string): { type: string; apiVersion: string; kind: string } {
  const { kind } = JSON.parse(json) as { kind: string };
  return { type: `meta.v1.${kind}`, apiVersion: 'v1', kind };
}

function status(api: Api, call: Call, error: { status: import('@kubernel/sdk').Status }): Response {
  const answer = renderStatus(api, error.status, negotiate(call.accept));
  return new Response(answer.body as string, {
    status: answer.code,
    headers: { 'Content-Type': answer.contentType, 'Cache-Control': 'no-cache, private' },
  });
}

function text(code: number, body: string, contentType = 'text/plain; charset=utf-8'): Response {
  return new Response(body, {
    status: code,
    headers: { 'Content-Type': contentType, 'Cache-Control': 'no-cache, private', 'X-Content-Type-Options': 'nosniff' },
  });
}

function notFoundText(): Response {
  return text(404, '404 page not found\n');
}

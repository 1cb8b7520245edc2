import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Call } from '../call.ts';
import type { NonResource } from '../non-resource.ts';
import type { Answer } from '../render.ts';

interface Bindings {
  call: Call;
}

/** Serves what is no resource. Resources go past Hono: a GET from the cache costs less than its Request object would. */
export class Routes {
  readonly #nonResource: NonResource;
  readonly #listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly #calls = new WeakMap<IncomingMessage, Call>();

  constructor(nonResource: NonResource) {
    this.#nonResource = nonResource;
    const app = new Hono<{ Bindings: Bindings }>({ strict: false });
    app.all('*', async (context) => toResponse(await nonResource.answer(context.env.call, context.req.header('if-none-match'))));
    this.#listener = getRequestListener(
      async (request, env) => app.fetch(request, { call: this.#calls.get(env.incoming as IncomingMessage) as Call } satisfies Bindings),
      { overrideGlobalObjects: false },
    );
  }

  /** Throws 401 and 403 before anything is answered. */
  async handle(request: IncomingMessage, response: ServerResponse, call: Call): Promise<void> {
    await this.#nonResource.authorize(call);
    this.#calls.set(request, call);
    await this.#listener(request, response);
  }
}

function toResponse({ code, contentType, body, headers }: Answer): Response {
  const all: Record<string, string> = {
    'Cache-Control': 'no-cache, private',
    ...(contentType ? { 'Content-Type': contentType } : {}),
    ...headers,
  };
  return new Response(code === 304 || body.length === 0 ? null : (body as string), { status: code, headers: all });
}

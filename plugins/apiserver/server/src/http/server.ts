import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { UserInfo } from '@kubernel/sdk';
import type { Api } from '../api.ts';
import { ANONYMOUS, type Authentication, allow } from '../auth.ts';
import { Batch, line } from '../cache/watcher.ts';
import type { Call } from '../call.ts';
import { impersonationOf } from '../impersonation.ts';
import type { Metrics } from '../metrics.ts';
import { PUBLIC } from '../non-resource.ts';
import { handle, type Outcome, refuse } from '../pipeline.ts';
import { NO_QUERY, Query } from '../query.ts';
import type { Answer } from '../render.ts';
import { parseRequestInfo, type RequestInfo } from '../request-info.ts';
import { badRequest, internalError, requestTooLarge, timeout, tooManyRequests, toStatus, unauthorized } from '../status.ts';
import { startWatch } from '../verbs/watch.ts';
import { bookmarkOf, viewOf } from '../watch-view.ts';
import { connectionOf, readBody, send } from './exchange.ts';
import type { Proxy } from './proxy.ts';
import type { Routes } from './routes.ts';
import { WatchStream } from './watch-stream.ts';

export interface HttpLimits {
  bodyBytes: number;
  requestTimeoutMs: number;
  maxReading: number;
  maxMutating: number;
}

const MUTATING = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** From a request on a socket to a call of the pipeline, and back. */
export class HttpFront {
  readonly #api: Api;
  readonly #authentication: Authentication;
  readonly #routes: Routes;
  readonly #metrics: Metrics;
  readonly #proxy: Proxy;
  readonly #limits: HttpLimits;
  #reading = 0;
  #mutating = 0;

  constructor(api: Api, authentication: Authentication, routes: Routes, metrics: Metrics, proxy: Proxy, limits: HttpLimits) {
    this.#proxy = proxy;
    this.#api = api;
    this.#authentication = authentication;
    this.#routes = routes;
    this.#metrics = metrics;
    this.#limits = limits;
  }

  readonly onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => response.destroy());
    const started = performance.now();
    const call = callOf(request);
    try {
      const user = this.#identify(request, call);
      if (user instanceof Promise)
        user
          .then((known) => this.#admit(request, response, call, known, started))
          .catch((error: unknown) => this.#fail(request, response, call, error, started));
      else this.#admit(request, response, call, user, started);
    } catch (error) {
      this.#fail(request, response, call, error, started);
    }
  };

  readonly onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const call = callOf(request);
    const fail = (error: unknown): void => {
      const outcome = refuse(this.#api, call, error);
      if (outcome.type === 'answer') refuseUpgrade(socket, outcome.answer);
    };
    const run = async (): Promise<void> => {
      call.user = await this.#identify(request, call);
      const outcome = await handle(this.#api, call);
      if (outcome.type === 'connect') this.#proxy.tunnel(request, socket, head, outcome.target, (error) => fail(unreachable(error)));
      else if (outcome.type === 'answer') refuseUpgrade(socket, outcome.answer);
      else fail(badRequest('watches are not served over WebSocket'));
    };
    run().catch(fail);
  };

  /** Who calls. Throws 401; without credentials only the public paths are answered. */
  #identify(request: IncomingMessage, call: Call): UserInfo | Promise<UserInfo> {
    const headers = request.headers as Record<string, string | undefined>;
    const user = this.#authentication.authenticate(headers, connectionOf(request));
    const settle = (known: UserInfo | null): UserInfo | Promise<UserInfo> => {
      if (!known) {
        if (PUBLIC.test(call.path)) return ANONYMOUS;
        throw unauthorized();
      }
      return hasImpersonation(headers) ? this.#impersonate(known, request) : known;
    };
    return user instanceof Promise ? user.then(settle) : settle(user);
  }

  async #impersonate(user: UserInfo, request: IncomingMessage): Promise<UserInfo> {
    const asked = impersonationOf(user, pairs(request.rawHeaders));
    if (!asked) return user;
    for (const attributes of asked.checks) await allow(this.#api, attributes);
    return asked.user;
  }

  #admit(request: IncomingMessage, response: ServerResponse, call: Call, user: UserInfo, started: number): void {
    call.user = user;
    if (!call.info.resourceRequest) {
      this.#routes.handle(request, response, call).catch((error: unknown) => this.#fail(request, response, call, error, started));
      return;
    }
    const mutating = MUTATING.has(call.method);
    const long = isLong(call.info, call);
    if (!long) {
      if (mutating ? this.#mutating >= this.#limits.maxMutating : this.#reading >= this.#limits.maxReading) {
        this.#metrics.rejected(mutating);
        throw tooManyRequests();
      }
      if (mutating) this.#mutating++;
      else this.#reading++;
      this.#metrics.inflight(this.#reading, this.#mutating);
      response.once('close', () => {
        if (mutating) this.#mutating--;
        else this.#reading--;
        this.#metrics.inflight(this.#reading, this.#mutating);
      });
    }
    if (mutating && !long) void this.#withBody(request, response, call, started);
    else this.#respond(request, response, call, handle(this.#api, call), started);
  }

  async #withBody(request: IncomingMessage, response: ServerResponse, call: Call, started: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#fail(request, response, call, timeout('request did not complete within the allotted timeout'), started);
    }, this.#limits.requestTimeoutMs);
    response.once('close', () => clearTimeout(timer));
    try {
      const body = await readBody(request, this.#limits.bodyBytes);
      if (body === 'aborted') return void response.destroy();
      if (body === 'too-large') throw requestTooLarge(this.#limits.bodyBytes);
      const outcome = await handle(this.#api, { ...call, body });
      this.#respond(request, response, call, outcome, started);
    } catch (error) {
      this.#fail(request, response, call, error, started);
    }
  }

  #respond(request: IncomingMessage, response: ServerResponse, call: Call, outcome: Outcome | Promise<Outcome>, started: number): void {
    if (outcome instanceof Promise) {
      outcome
        .then((settled) => this.#respond(request, response, call, settled, started))
        .catch((error: unknown) => this.#fail(request, response, call, error, started));
      return;
    }
    if (outcome.type === 'answer') {
      send(request, response, outcome.answer, call.warnings);
      this.#metrics.observe(call, outcome.answer.code, performance.now() - started);
    } else if (outcome.type === 'watch') {
      this.#watch(request, response, call, outcome, started).catch((error: unknown) => this.#fail(request, response, call, error, started));
    } else {
      this.#metrics.observe(call, 200, performance.now() - started);
      this.#proxy.forward(request, response, outcome.target, (error) => this.#fail(request, response, call, unreachable(error), started));
    }
  }

  async #watch(
    request: IncomingMessage,
    response: ServerResponse,
    call: Call,
    outcome: Extract<Outcome, { type: 'watch' }>,
    started: number,
  ): Promise<void> {
    const view = viewOf(this.#api, outcome.resource, call);
    const stream = new WatchStream(request, response, view.contentType);
    this.#metrics.watchers(1, call);
    let stop: (() => void) | undefined;
    let closed = false;
    response.once('close', () => {
      closed = true;
      stop?.();
      this.#metrics.watchers(-1, call);
      this.#metrics.observe(call, 200, performance.now() - started);
    });
    try {
      const watched = view.view ? { ...outcome, options: { ...outcome.options, view: view.view } } : outcome;
      stop = await startWatch(this.#api, watched, stream, bookmarkOf(outcome.resource, view));
      if (closed) stop();
    } catch (error) {
      // The answer has begun: a refusal is an event, as upstream sends it.
      const status = toStatus(error);
      stream.finish(
        new Batch(
          line('ERROR', JSON.stringify(status), view.view?.frame ? { signature: '', frame: view.view.frame } : undefined),
          view.view,
        ),
      );
    }
  }

  #fail(request: IncomingMessage, response: ServerResponse, call: Call, error: unknown, started: number): void {
    const outcome = refuse(this.#api, call, error);
    if (outcome.type !== 'answer') return;
    // The rest of a body nobody reads would be taken for the next request.
    if (!request.readableEnded && request.httpVersionMajor === 1 && MUTATING.has(call.method)) response.shouldKeepAlive = false;
    send(request, response, outcome.answer, call.warnings);
    this.#metrics.observe(call, outcome.answer.code, performance.now() - started);
  }
}

function callOf(request: IncomingMessage): Call {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const method = request.method ?? 'GET';
  const { headers } = request;
  return {
    method,
    path,
    query: mark < 0 ? NO_QUERY : new Query(url.slice(mark + 1)),
    info: parseRequestInfo(method, path),
    user: ANONYMOUS,
    contentType: headers['content-type'] ?? '',
    accept: headers.accept ?? '',
    userAgent: headers['user-agent'] ?? '',
    body: undefined,
    warnings: [],
  };
}

function unreachable(error: Error): Error {
  return internalError(`error dialing backend: ${error.message}`);
}

/** An answer on a socket that was to be upgraded and is not. */
function refuseUpgrade(socket: Socket, { code, contentType, body }: Answer): void {
  const text = String(body);
  const reason = STATUS_CODES[code] ?? '';
  socket.end(
    `HTTP/1.1 ${code} ${reason}\r\nContent-Type: ${contentType || 'text/plain'}\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/** Node's flat list of names and values. */
function* pairs(raw: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index] as string, raw[index + 1] as string];
}

function hasImpersonation(headers: Record<string, string | undefined>): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return true;
  return false;
}

const LONG_SUBRESOURCES = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

/** Requests that last as long as the client wants them to: not counted, not timed. */
function isLong(info: RequestInfo, call: Call): boolean {
  if (info.verb === 'watch' || info.verb === 'proxy') return true;
  if (info.subresource !== '' && LONG_SUBRESOURCES.has(info.subresource)) return true;
  return call.method === 'GET' && call.query.size > 0 && call.query.flag('watch');
}

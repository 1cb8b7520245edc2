import type { ApiRequest, ApiResponse, ApiService, Consumer, PerConsumer, UserInfo } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { Api } from './api.ts';
import type { Authorization } from './auth.ts';
import type { Batch, Sink } from './cache/watcher.ts';
import type { Call } from './call.ts';
import type { Metrics } from './metrics.ts';
import { handle, type Outcome } from './pipeline.ts';
import { NO_QUERY, Query } from './query.ts';
import type { Answer } from './render.ts';
import { parseRequestInfo } from './request-info.ts';
import { startWatch } from './verbs/watch.ts';
import { bookmarkOf, viewOf } from './watch-view.ts';

/** The API for plugins on this machine: the same pipeline without sockets. The host says who each consumer is. */
export function perConsumer(
  api: Api,
  authorization: Authorization,
  metrics: Metrics,
  nonResource: (call: Call) => Promise<ApiResponse>,
): PerConsumer<ApiService> {
  return {
    connect(consumer: Consumer): ApiService {
      if (consumer.rules.length > 0) authorization.grant(consumer.user.name, consumer.rules);
      return serviceFor(api, consumer.user, metrics, nonResource);
    },
  };
}

export function serviceFor(api: Api, user: UserInfo, metrics: Metrics, nonResource: (call: Call) => Promise<ApiResponse>): ApiService {
  const identity = user.groups.includes('system:authenticated') ? user : { ...user, groups: [...user.groups, 'system:authenticated'] };
  return {
    async request(request) {
      const started = performance.now();
      const call = toCall(request, identity);
      if (!call.info.resourceRequest) return nonResource(call);
      const outcome = await handle(api, call);
      if (outcome.type !== 'answer')
        return response({ code: 400, contentType: 'text/plain', body: 'use watch() for watches and HTTPS for connections' }, call);
      metrics.observe(call, outcome.answer.code, performance.now() - started);
      return response(outcome.answer, call);
    },
    watch: (request) => new ServiceWatch(api, toCall(request, identity), metrics),
  };
}

function refusal(outcome: Extract<Outcome, { type: 'answer' }>): StatusError {
  return StatusError.from(JSON.parse(String(outcome.answer.body)));
}

function toCall(request: ApiRequest, user: UserInfo): Call {
  const mark = request.path.indexOf('?');
  const path = mark < 0 ? request.path : request.path.slice(0, mark);
  return {
    method: request.method,
    path,
    query: mark < 0 ? NO_QUERY : new Query(request.path.slice(mark + 1)),
    info: parseRequestInfo(request.method, path),
    user,
    contentType: request.contentType ?? (request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'),
    accept: request.accept ?? 'application/json',
    userAgent: agentOf(user),
    body: request.body,
    warnings: [],
  };
}

/** `system:plugin:controller/deployment` -> `controller-deployment`: the manager of the fields it writes. */
function agentOf({ name }: UserInfo): string {
  return name.replace(/^system:plugin:/, '').replaceAll('/', '-');
}

function response({ code, body }: Answer, call: Call): ApiResponse {
  const text = String(body);
  return { code, body: text, ...(call.warnings.length > 0 ? { warnings: call.warnings } : {}) };
}

/** More than this waiting to be taken, and the consumer is told to start over: it is not reading. */
const MAX_WAITING_LENGTH = 64 << 20;

/**
 * A watch of an in-process client: batches on their way to it; what piles up while it is busy is handed over as one.
 * Not a generator, because `return()` must end a `next()` that waits.
 */
class ServiceWatch implements Sink, AsyncIterableIterator<string> {
  readonly #api: Api;
  readonly #call: Call;
  readonly #metrics: Metrics;
  #parts: string[] = [];
  #length = 0;
  #started = false;
  #ended = false;
  #stop: (() => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(api: Api, call: Call, metrics: Metrics) {
    this.#api = api;
    this.#call = call;
    this.#metrics = metrics;
  }

  write(batch: Batch): void {
    if (this.#ended) return;
    this.#parts.push(batch.text);
    this.#length += batch.text.length;
    if (this.#length > MAX_WAITING_LENGTH) this.end();
    this.#wake?.();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop?.();
    if (this.#started) this.#metrics.watchers(-1, this.#call);
    this.#wake?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<string>> {
    if (!this.#started) await this.#start();
    for (;;) {
      if (this.#parts.length > 0) {
        const value = this.#parts.length === 1 ? (this.#parts[0] as string) : this.#parts.join('');
        this.#parts = [];
        this.#length = 0;
        return { done: false, value };
      }
      if (this.#ended) return { done: true, value: undefined };
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  async return(): Promise<IteratorResult<string>> {
    this.#parts = [];
    this.end();
    return { done: true, value: undefined };
  }

  async #start(): Promise<void> {
    const outcome = await handle(this.#api, this.#call);
    if (outcome.type === 'answer') throw refusal(outcome);
    if (outcome.type !== 'watch') throw new StatusError(400, 'BadRequest', 'not a watch');
    const view = viewOf(this.#api, outcome.resource, this.#call);
    const watched = view.view ? { ...outcome, options: { ...outcome.options, view: view.view } } : outcome;
    this.#started = true;
    this.#metrics.watchers(1, this.#call);
    const stop = await startWatch(this.#api, watched, this, bookmarkOf(outcome.resource, view));
    if (this.#ended) stop();
    else this.#stop = stop;
  }
}

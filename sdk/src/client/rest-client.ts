import type { KubeList, KubeObject, ResourceRef } from '../api/object.ts';
import type { Status } from '../errors.ts';
import { isCode, KubernelError, StatusError } from '../errors.ts';
import type { ApiRequest, ApiResponse, ApiService } from '../roles/apiserver.ts';
import type { Client, DeleteOptions, GetOptions, ListOptions, Patch, WatchEvent, WatchOptions, WriteOptions } from './client.ts';
import { apiUnavailable, badAnswer } from './errors.ts';
import { collectionPath, listQuery, objectPath, resourceName, watchQuery, writeQuery } from './paths.ts';

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** How often a request that the server asked to repeat later (429 with retryAfterSeconds) is repeated. */
const MAX_THROTTLED_RETRIES = 10;

/** The {@link Client} over any {@link ApiService}: a MessagePort's proxy, HTTPS, or a fake. */
export function createClient(service: ApiService): Client {
  return new RestClient(service);
}

class RestClient implements Client {
  readonly #service: ApiService;

  constructor(service: ApiService) {
    this.#service = service;
  }

  async get<T extends KubeObject>(resource: ResourceRef, name: string, options: GetOptions = {}): Promise<T> {
    let path = objectPath(resource, options.namespace, name, options.subresource);
    if (options.resourceVersion !== undefined) path += `?resourceVersion=${encodeURIComponent(options.resourceVersion)}`;
    return this.#send<T>({ method: 'GET', path }, resource);
  }

  async list<T extends KubeObject>(resource: ResourceRef, options: ListOptions = {}): Promise<KubeList<T>> {
    const path = collectionPath(resource, options.namespace) + listQuery(options);
    const list = await this.#send<KubeList<T>>(
      { method: 'GET', path, ...(options.metadataOnly ? { accept: METADATA_LIST } : {}) },
      resource,
    );
    // Items of a list carry no kind on the wire. Those of a watch do, and callers compare and own both alike.
    const kind = list.kind?.endsWith('List') ? list.kind.slice(0, -4) : undefined;
    list.items ??= [];
    if (kind) {
      for (const item of list.items) {
        item.apiVersion ??= list.apiVersion;
        item.kind ??= kind;
      }
    }
    return list;
  }

  async *watch<T extends KubeObject>(resource: ResourceRef, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>[]> {
    const path = collectionPath(resource, options.namespace) + watchQuery(options);
    const batches = this.#service.watch({ method: 'GET', path, ...(options.metadataOnly ? { accept: METADATA } : {}) });
    for await (const batch of untilAborted(batches, options.signal)) {
      const events = parseWatchBatch<T>(batch, resource);
      const failure = events.at(-1)?.type === 'ERROR' ? events.pop() : undefined;
      if (events.length > 0) yield events;
      if (failure) throw StatusError.from(failure.object as unknown as Status);
    }
  }

  async create<T extends KubeObject>(resource: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
    const namespace = options.namespace ?? object.metadata?.namespace;
    let path: string;
    if (options.subresource) path = objectPath(resource, namespace, options.name ?? object.metadata?.name ?? '', options.subresource);
    else if (resource.clusterScoped || namespace) path = collectionPath(resource, namespace);
    else path = objectPath(resource, namespace, object.metadata?.name || '(unnamed)');
    return this.#send<T>({ method: 'POST', path: path + writeQuery(options), body: JSON.stringify(object) }, resource, options.signal);
  }

  async update<T extends KubeObject>(resource: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
    const { metadata } = object;
    const path = objectPath(resource, options.namespace ?? metadata.namespace, options.name ?? metadata.name ?? '', options.subresource);
    return this.#send<T>({ method: 'PUT', path: path + writeQuery(options), body: JSON.stringify(object) }, resource, options.signal);
  }

  async patch<T extends KubeObject>(resource: ResourceRef, name: string, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(resource, options.namespace, name, options.subresource) + writeQuery(options);
    const request: ApiRequest = { method: 'PATCH', path, contentType: PATCH_TYPES[patch.type], body: JSON.stringify(patch.patch) };
    return this.#send<T>(request, resource, options.signal);
  }

  async delete(resource: ResourceRef, name: string, options: DeleteOptions = {}): Promise<void> {
    const path = objectPath(resource, options.namespace, name);
    await this.#send({ method: 'DELETE', path, body: deleteBody(options) }, resource);
  }

  async deleteCollection(resource: ResourceRef, options: DeleteOptions & ListOptions = {}): Promise<void> {
    const path = collectionPath(resource, options.namespace) + listQuery(options);
    await this.#send({ method: 'DELETE', path, body: deleteBody(options) }, resource);
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    return this.#service.request(request);
  }

  async #send<T>(request: ApiRequest, resource: ResourceRef, signal?: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const response = await abortable(this.#request(request), signal);
      if (response.code < 300) return parseBody<T>(response, request);
      const error = errorOf(response, resource);
      const retryAfter = error.status.details?.retryAfterSeconds ?? 0;
      if (response.code !== 429 || retryAfter <= 0 || attempt >= MAX_THROTTLED_RETRIES) throw error;
      await abortable(new Promise((resolve) => setTimeout(resolve, retryAfter * 1000)), signal);
    }
  }

  async #request(request: ApiRequest): Promise<ApiResponse> {
    try {
      return await this.#service.request(request);
    } catch (error) {
      throw isOutage(error) ? apiUnavailable(`${request.method} ${request.path}`, error) : error;
    }
  }
}

/** Newline-terminated JSON events. Nothing follows an ERROR event: it is the last one. */
function parseWatchBatch<T extends KubeObject>(batch: string, resource: ResourceRef): WatchEvent<T>[] {
  const events: WatchEvent<T>[] = [];
  for (let start = 0; start < batch.length; ) {
    let end = batch.indexOf('\n', start);
    if (end < 0) end = batch.length;
    if (end > start) {
      const event = parsed<WatchEvent<T>>(batch.slice(start, end), `watch of ${resourceName(resource)}`);
      events.push(event);
      if (event.type === 'ERROR') return events;
    }
    start = end + 1;
  }
  return events;
}

function parseBody<T>(response: ApiResponse, request: ApiRequest): T {
  return parsed<T>(response.body, `${request.method} ${request.path}`);
}

function parsed<T>(text: string, subject: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw badAnswer(`not JSON: ${text.slice(0, 80)}`, subject, error);
  }
}

/** How a MessagePort says that the API server's isolate is down, was replaced, or does not answer. */
function isOutage(error: unknown): boolean {
  return isCode(error, 'ERR_ROLE_UNAVAILABLE') || isCode(error, 'ERR_CHANNEL_CLOSED') || isCode(error, 'ERR_CALL_TIMEOUT');
}

/** The StatusError of a refusal; a plain-text answer (from a proxy in between) is told by its HTTP code. */
export function errorOf(response: ApiResponse, resource?: ResourceRef): StatusError {
  try {
    const status = JSON.parse(response.body) as Status;
    if (status.kind === 'Status') return StatusError.from({ ...status, code: status.code ?? response.code });
  } catch {
    // Not a Status: told by its code below.
  }
  const reason = REASONS[response.code] ?? '';
  const about = resource ? ` (${resourceName(resource)})` : '';
  return new StatusError(response.code, reason, `the server answered ${response.code}${about}: ${response.body.slice(0, 200)}`);
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function deleteBody(options: DeleteOptions): string {
  return JSON.stringify({
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.propagationPolicy ? { propagationPolicy: options.propagationPolicy } : {}),
    ...(options.preconditions ? { preconditions: options.preconditions } : {}),
  });
}

function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new KubernelError('ERR_ABORTED', 'aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Ends (without an error) when the signal aborts, even while the source has nothing to say; then tells the source to stop. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (signal?.aborted) return;
  const iterator = source[Symbol.asyncIterator]();
  // A fresh promise for each item: racing one long-lived promise would keep every item's reactions for as long as the watch lives.
  let wake: (() => void) | undefined;
  const onAbort = (): void => wake?.();
  signal?.addEventListener('abort', onAbort, { once: true });
  let finished = false;
  try {
    for (;;) {
      const item = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        wake = () => resolve(undefined);
        iterator.next().then(resolve, reject);
      });
      if (item === undefined || signal?.aborted) return;
      if (item.done) {
        finished = true;
        return;
      }
      yield item.value;
    }
  } catch (error) {
    finished = true;
    throw isOutage(error) ? apiUnavailable('watch', error) : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Not awaited: an async generator in the middle of next() would answer only after its next item.
    if (!finished) Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

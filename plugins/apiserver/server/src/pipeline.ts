import { type AuthzAttributes, StatusError } from '@kubernel/sdk';
import { checkAccept, negotiate } from './accept.ts';
import type { Api } from './api.ts';
import { allow } from './auth.ts';
import type { Call, Result } from './call.ts';
import type { Resource } from './registry.ts';
import { type Answer, renderList, renderObject, renderStatus } from './render.ts';
import { methodNotAllowed, toStatus, unavailable, unknownResource } from './status.ts';
import { subresource } from './subresources.ts';
import { create } from './verbs/create.ts';
import { deleteOne } from './verbs/delete.ts';
import { deleteCollection } from './verbs/delete-collection.ts';
import { list } from './verbs/list.ts';
import { patch } from './verbs/patch.ts';
import { get } from './verbs/read.ts';
import { update } from './verbs/update.ts';
import { watch } from './verbs/watch.ts';
import { virtual } from './virtual.ts';

/**
 * The way of a request, from an authenticated caller to the answer. A write goes
 *
 *   authorize -> resource -> [verbs/create.ts and its neighbours: decode -> default -> own fields -> mutate -> prepare ->
 *   validate -> admit -> encode once -> store] -> render
 *
 * and comes back to every watcher through the store's bus and `cache/`. HTTPS (`http/`) and in-process clients
 * (`service.ts`) both enter here, so the same rules hold for both. Synchronous where nothing has to be waited for:
 * a GET that is answered from the cache never touches the microtask queue.
 */
export function handle(api: Api, call: Call): Outcome | Promise<Outcome> {
  try {
    const allowed = authorize(api, call);
    const result = allowed ? allowed.then(() => route(api, call)) : route(api, call);
    if (result instanceof Promise) {
      return result.then((settled) => finish(api, call, settled)).catch((error: unknown) => refuse(api, call, error));
    }
    return finish(api, call, result);
  } catch (error) {
    return refuse(api, call, error);
  }
}

/** An answer to send, or a connection to take over. */
export type Outcome = { type: 'answer'; answer: Answer } | Extract<Result, { type: 'watch' | 'connect' }>;

/** May this user do this? Throws a 403 that says who, what and where. */
function authorize(api: Api, call: Call): Promise<void> | undefined {
  return allow(api, authzAttributes(call));
}

function authzAttributes(call: Call): AuthzAttributes {
  const { info, query, user, path } = call;
  const { group, version, resource, subresource, namespace } = info;
  const verb = info.verb === 'list' || info.verb === 'get' ? readVerb(call) : info.verb;
  const attributes: AuthzAttributes = {
    user,
    verb,
    resourceRequest: info.resourceRequest,
    group,
    version,
    resource,
    subresource,
    namespace,
    name: info.name,
    path,
  };
  if (query.size === 0 || (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection')) return attributes;
  const fieldSelector = query.get('fieldSelector');
  if (!fieldSelector) return attributes;
  // Rights to a named object cover a list or watch of just that object.
  const name = attributes.name || (/(?:^|,)metadata\.name==?([^,=]+)(?:,|$)/.exec(fieldSelector)?.[1] ?? '');
  return { ...attributes, name, fieldSelector };
}

/** A list with `watch` is a watch; a GET of one object with `watch` is one too, of a single name. */
function readVerb({ info, query }: Call): string {
  return query.size > 0 && query.flag('watch') && info.subresource === '' ? 'watch' : info.verb;
}

function route(api: Api, call: Call): Result | Promise<Result> {
  const { info } = call;
  if (!api.cache.ready) throw unavailable('the server is reading its store anew, try again in a moment');
  const resource = api.registry.find(info.group, info.version, info.resource);
  // A name is one segment of a path, also when it was escaped.
  // Groups nobody has defined are no part of the API.
  if (!resource && info.group && !api.registry.hasBuiltInGroup(info.group)) return NO_PAGE;
  if (!resource || info.extra || info.name.includes('/') || info.name.includes('%')) throw unknownResource();
  if (resource.definition.unavailable) throw new StatusError(500, 'InternalError', resource.definition.unavailable);
  if (resource.definition.deprecated) call.warnings.push(resource.definition.deprecated);
  if (info.subresource) return subresource(api, call, resource);
  // Cluster-scoped resources are not under a namespace, and a namespaced object is nowhere else.
  if (resource.namespaced ? info.name !== '' && info.namespace === '' : info.namespace !== '' && resource.plural !== 'namespaces')
    throw unknownResource();
  if (resource.definition.virtual) return virtual(api, call, resource);
  return dispatch(api, call, resource);
}

const NO_PAGE: Result = { type: 'raw', code: 404, contentType: 'text/plain; charset=utf-8', body: '404 page not found\n' };

type Handler = (api: Api, call: Call, resource: Resource) => Result | Promise<Result>;

function dispatch(api: Api, call: Call, resource: Resource): Result | Promise<Result> {
  const handler = handlerFor(call, resource);
  if (!handler) throw methodNotAllowed();
  checkAccept(call.accept, handler === list || handler === watch);
  return handler(api, call, resource);
}

function handlerFor(call: Call, { verbs }: Resource): Handler | undefined {
  const { info, method } = call;
  switch (method) {
    case 'GET':
      if (verbs.has('watch') && readVerb(call) === 'watch') return watch;
      return info.name ? (verbs.has('get') ? get : undefined) : verbs.has('list') ? list : undefined;
    case 'POST':
      return !info.name && verbs.has('create') ? create : undefined;
    case 'PUT':
      return info.name && verbs.has('update') ? update : undefined;
    case 'PATCH':
      return info.name && verbs.has('patch') ? patch : undefined;
    case 'DELETE':
      if (info.name) return verbs.has('delete') ? deleteOne : undefined;
      return verbs.has('deletecollection') ? deleteCollection : undefined;
    default:
      return undefined;
  }
}

function finish(api: Api, call: Call, result: Result): Outcome {
  switch (result.type) {
    case 'watch':
    case 'connect':
      return result;
    case 'raw':
      return { type: 'answer', answer: result };
    default: {
      const as = checkAccept(call.accept, result.type === 'list');
      return { type: 'answer', answer: result.type === 'list' ? renderList(api, call, result, as) : renderObject(api, call, result, as) };
    }
  }
}

export function refuse(api: Api, call: Call, error: unknown): Outcome {
  const status = toStatus(error);
  // What nobody foresaw is logged with its stack; a refusal that was meant is the client's business alone.
  if (status.reason === 'InternalError' && (error as { status?: unknown } | null)?.status === undefined) {
    api.log.error('a request failed unexpectedly', {
      method: call.method,
      path: call.path,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  return { type: 'answer', answer: renderStatus(api, status, negotiate(call.accept)) };
}

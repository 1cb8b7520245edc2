import type { Strategy, StrategyContext, Subresource, SubresourceRequest } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { type Api, strategyContext, timestamp } from './api.ts';
import type { Call, Result } from './call.ts';
import { connect } from './connect/connect.ts';
import { decodeBody } from './decode-body.ts';
import type { DeleteOptions } from './delete-options.ts';
import { keyOf, type Resource } from './registry.ts';
import { scale } from './scale.ts';
import { methodNotAllowed, notFound, unavailable, unknownResource } from './status.ts';
import { change, currentObject } from './verbs/change.ts';
import { deleteObject } from './verbs/delete.ts';
import { patch } from './verbs/patch.ts';
import { get } from './verbs/read.ts';
import { update } from './verbs/update.ts';
import { managerOf, settleProblems, type WriteOptions, writeOptions } from './write-options.ts';

const VERB_OF: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** `pods/web-0/status` and its like. */
export function subresource(api: Api, call: Call, resource: Resource): Result | Promise<Result> {
  const { info, method } = call;
  const found = resource.subresources[info.subresource];
  if (!found && resource.keepsTypeMeta) throw notFound(resource.group, resource.plural, info.name);
  if (!found || (resource.namespaced && info.namespace === '')) throw unknownResource();
  if (found.type === 'connect') {
    if (!found.methods.includes(method)) throw methodNotAllowed();
    return connect(api, call, resource, found);
  }
  if (info.extra) throw unknownResource();
  const verb = VERB_OF[method] ?? '';
  const verbs: readonly string[] = ('verbs' in found ? found.verbs : undefined) ?? ['get', 'update', 'patch'];
  if (!verbs.includes(verb)) throw methodNotAllowed();
  switch (found.type) {
    case 'status':
      return part(api, call, resource, found, verb);
    case 'update':
      return part(api, call, resource, found, verb);
    case 'scale':
      return scale(api, call, resource, found);
    case 'action':
      return action(api, call, resource, found);
  }
}

/** A part of the object that has an endpoint of its own: the whole object is read and written, the strategy says what counts. */
function part(
  api: Api,
  call: Call,
  resource: Resource,
  found: Extract<Subresource, { type: 'status' | 'update' }>,
  verb: string,
): Result | Promise<Result> {
  if (verb === 'get') return get(api, call, resource);
  const strategy = found.type === 'update' ? withGeneration(found.strategy, resource) : (found.strategy ?? statusStrategy(resource));
  if (verb === 'patch') return patch(api, call, resource, strategy, call.info.subresource);
  return update(api, call, resource, strategy, call.info.subresource);
}

/** A part of the spec with an endpoint of its own counts as a change of the spec. */
function withGeneration(strategy: Strategy, { strategy: own }: Resource): Strategy {
  return strategy.generation === undefined && own.generation ? { ...strategy, generation: true, generationOf: own.generationOf } : strategy;
}

/** Without a strategy of its own, `/status` changes nothing but the status. */
function statusStrategy(resource: Resource): Strategy {
  const {
    generation: _generation,
    warnings: _warnings,
    prepareForUpdate: _prepare,
    validateUpdate: _validateUpdate,
    ...rest
  } = resource.strategy;
  return {
    ...rest,
    prepareForUpdate(object, old) {
      for (const field of Object.keys(object)) if (field !== 'status' && field !== 'metadata') delete object[field];
      for (const field of Object.keys(old)) if (field !== 'status' && field !== 'metadata') object[field] = old[field];
      const { resourceVersion, managedFields } = object.metadata;
      object.metadata = { ...old.metadata, ...(managedFields ? { managedFields } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
    },
    validateUpdate() {},
  };
}

/** A POST that a function of the group answers: bindings, evictions, tokens. */
export async function action(api: Api, call: Call, resource: Resource, found: Extract<Subresource, { type: 'action' }>): Promise<Result> {
  const { info } = call;
  const options = writeOptions(call, 'CreateOptions');
  const { kind } = found;
  const apiVersion = kind.group ? `${kind.group}/${kind.version}` : kind.version;
  const target = { type: kind.type ?? '', kind: kind.kind, apiVersion };
  const { object: body, problems } = decodeBody(api, call, target);
  settleProblems(problems, options, call, target);
  if (kind.type) {
    api.codec.applyDefaults(kind.type, body);
    const managed = { ...resource, type: kind.type, apiVersion, strategy: {}, subresources: {} };
    api.patcher.track({
      resource: managed,
      subresource: info.subresource,
      old: undefined,
      object: body,
      manager: managerOf(options, call),
      time: timestamp(),
    });
  }
  await api.cache.fresh();
  const entry = resource.cache.entries.get(keyOf(resource, info.namespace, info.name));
  if (!entry) throw notFound(resource.group, resource.plural, info.name);
  const attributes = {
    ...api.attributes(call, resource, 'CREATE', { object: body, oldObject: undefined, options: options.document, dryRun: options.dryRun }),
    kind: kind.kind,
  };
  await api.admission.admit(attributes);
  await api.admission.validate(attributes);
  const request = subresourceRequest(api, call, resource, options, body, currentObject(resource, entry));
  const answer = await found.run(request);
  return { type: 'object', code: 201, text: JSON.stringify({ kind: kind.kind, apiVersion, ...answer }) };
}

function subresourceRequest(
  api: Api,
  call: Call,
  resource: Resource,
  options: WriteOptions,
  body: KubeObject,
  object: KubeObject,
): SubresourceRequest {
  const { info } = call;
  const { namespace, name } = info;
  const context: StrategyContext = strategyContext(api, call, namespace, options.dryRun, object);
  return {
    ...context,
    name,
    body,
    object,
    updateObject: (make) => quietChange(api, call, resource, info.subresource, namespace, name, options, make),
    updateRelated(group, related, relatedName, make) {
      const [plural = '', part = ''] = related.split('/');
      const other = api.registry.any(group, plural);
      if (!other) throw unknownResource();
      return quietChange(api, call, other, part, other.namespaced ? namespace : '', relatedName, options, make);
    },
    async deleteObject(document) {
      const grace = document.gracePeriodSeconds as number | undefined;
      const deletion: DeleteOptions = {
        dryRun: options.dryRun,
        gracePeriodSeconds: grace,
        propagationPolicy: document.propagationPolicy as DeleteOptions['propagationPolicy'],
        orphanDependents: undefined,
        preconditions: (document.preconditions as DeleteOptions['preconditions'] | undefined) ?? {},
        document,
      };
      await deleteObject(api, call, resource, namespace, name, deletion);
    },
    service<T>(wanted: string): T {
      return lend<T>(api, wanted);
    },
  };
}

/** The server's own change on behalf of an action: no client's object, so neither admission nor strategy has a say. */
async function quietChange(
  api: Api,
  call: Call,
  resource: Resource,
  subresource: string,
  namespace: string,
  name: string,
  options: WriteOptions,
  make: (object: KubeObject) => void,
): Promise<KubeObject> {
  const { object } = await change(api, call, resource, {
    namespace,
    name,
    subresource,
    strategy: resource.strategy,
    options,
    retry: true,
    internal: true,
    direct: true,
    uidPrecondition: true,
    next(_current, copy) {
      const object = copy();
      make(object);
      return object;
    },
  });
  return object;
}

export function lend<T>(api: Api, name: string): T {
  const service = api.services.get(name);
  if (service === undefined) throw unavailable(`no plugin provides ${JSON.stringify(name)}`);
  return service as T;
}

import type { VirtualResource } from '@kubernel/sdk';
import { FieldErrors, FieldPath, type KubeObject } from '@kubernel/sdk/api';
import { type Api, strategyContext, throwInvalid, timestamp } from './api.ts';
import type { Call, Result } from './call.ts';
import { checkNamespace, decodeBody } from './decode-body.ts';
import type { Resource } from './registry.ts';
import { methodNotAllowed, notFound, unknownResource } from './status.ts';
import { action, lend } from './subresources.ts';
import { managerOf, settleProblems, writeOptions } from './write-options.ts';

/** Resources that are computed, not stored: reviews, component statuses. */
export async function virtual(api: Api, call: Call, resource: Resource): Promise<Result> {
  const answers = resource.definition.virtual as VirtualResource;
  const { info, method } = call;
  if (method === 'POST' && !info.name && answers.delegate) return delegated(api, call, resource, answers.delegate);
  if (method === 'POST' && !info.name && answers.create) return review(api, call, resource, answers);
  // Paths that only have a POST have no objects under them.
  if (info.name && !answers.get) throw unknownResource();
  if (method !== 'GET') throw methodNotAllowed();
  const context = strategyContext(api, call, info.namespace, false);
  if (info.name) {
    const object = await answers.get?.(info.name, context);
    if (!object) throw notFound(resource.group, resource.plural, info.name);
    return { type: 'object', code: 200, text: textOfVirtual(resource, object), resource };
  }
  if (!answers.list) throw methodNotAllowed();
  const items = await answers.list(context);
  return {
    type: 'object',
    code: 200,
    text: JSON.stringify({ kind: resource.listKind, apiVersion: resource.apiVersion, metadata: {}, items }),
  };
}

async function review(api: Api, call: Call, resource: Resource, answers: VirtualResource): Promise<Result> {
  const options = writeOptions(call, 'CreateOptions');
  const { object, problems } = decodeBody(api, call, resource);
  settleProblems(problems, options, call, resource);
  checkNamespace(object, resource.namespaced, call.info.namespace);
  api.codec.applyDefaults(resource.type, object);
  api.patcher.track({ resource, subresource: '', old: undefined, object, manager: managerOf(options, call), time: timestamp() });
  const context = strategyContext(api, call, call.info.namespace, options.dryRun);
  const errors = new FieldErrors();
  if (resource.strategy.validate) resource.strategy.validate(object, errors, context);
  else context.validation.validate(resource.type, object, FieldPath.of(), errors);
  throwInvalid(resource.definition, object.metadata.name ?? '', errors);
  const attributes = api.attributes(call, resource, 'CREATE', {
    object,
    oldObject: undefined,
    options: options.document,
    dryRun: options.dryRun,
  });
  await api.admission.admit(attributes);
  await api.admission.validate(attributes);
  const answer = await answers.create?.(object, { ...context, service: (name) => lend(api, name) });
  return { type: 'object', code: 201, text: textOfVirtual(resource, api.codec.normalize(resource.type, answer as KubeObject)), resource };
}

/** POST bindings is POST pods/<name>/binding, for clients of the first days. */
async function delegated(
  api: Api,
  call: Call,
  resource: Resource,
  { resource: plural, subresource }: NonNullable<VirtualResource['delegate']>,
): Promise<Result> {
  const target = api.registry.any(resource.group, plural);
  const found = target?.subresources[subresource];
  if (!target || found?.type !== 'action') throw methodNotAllowed();
  const { object } = decodeBody(api, call, resource);
  return action(api, { ...call, info: { ...call.info, resource: plural, subresource, name: object.metadata.name ?? '' } }, target, found);
}

function textOfVirtual(resource: Resource, { kind: _kind, apiVersion: _version, ...rest }: KubeObject): string {
  return JSON.stringify({ kind: resource.kind, apiVersion: resource.apiVersion, ...rest });
}

import { StatusError, type Strategy } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { type Api, timestamp } from '../api.ts';
import type { Call, Result } from '../call.ts';
import type { Decoded } from '../codec.ts';
import { bodyText, checkName, checkNamespace, mediaType } from '../decode-body.ts';
import { parseConfiguration, strictConfigurationError } from '../patch/parse-configuration.ts';
import { keyOf, type Resource } from '../registry.ts';
import { badRequest, unsupportedPatch } from '../status.ts';
import { managerOf, settlePatchProblems, settleProblems, type WriteOptions, writeOptions } from '../write-options.ts';
import { change } from './change.ts';
import { createObject, mayCreate } from './create.ts';
import { trackFields } from './track.ts';

const KINDS: Readonly<Record<string, 'json' | 'merge' | 'strategic'>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
};
const APPLY = 'application/apply-patch+yaml';

/** PATCH in its four forms. A patch is made on the newest object, again if somebody else was faster. */
export async function patch(
  api: Api,
  call: Call,
  resource: Resource,
  strategy: Strategy = resource.strategy,
  subresource = '',
): Promise<Result> {
  const media = mediaType(call.contentType);
  if (media === APPLY) return apply(api, call, resource, strategy, subresource);
  const kind = KINDS[media];
  if (!kind || (kind === 'strategic' && resource.keepsTypeMeta)) throw unsupportedPatch(resource.keepsTypeMeta);
  const options = writeOptions(call, 'PatchOptions');
  const { info } = call;
  const text = bodyText(call);
  const manager = managerOf(options, call);
  const { text: answer } = await change(api, call, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource,
    strategy,
    options,
    retry: true,
    next: (live) => patched(api, call, resource, { kind, live, text, manager, options, subresource }),
  });
  return { type: 'object', code: 200, text: answer, resource };
}

/** A patch that makes something else out of the object is no bad request but an invalid one. */
function decodePatched(api: Api, resource: Resource, value: unknown): Decoded {
  try {
    return api.codec.decodeValue(resource, value);
  } catch {
    throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
}

function decodeApplied(api: Api, resource: Resource, applied: unknown, value: unknown): KubeObject {
  try {
    return api.codec.decodeValue(resource, value).object;
  } catch (error) {
    throw api.patcher.conversionError(resource, applied, error);
  }
}

interface PatchStep {
  kind: 'json' | 'merge' | 'strategic';
  live: KubeObject;
  text: string;
  manager: string;
  options: WriteOptions;
  subresource: string;
}

function patched(api: Api, call: Call, resource: Resource, step: PatchStep): KubeObject {
  const request = { kind: step.kind, resource, live: step.live, text: step.text };
  const { value, problems } = api.patcher.patch(request);
  const decoded = decodePatched(api, resource, value);
  // A strategic patch is restored from a map, whose order says nothing.
  const found = [...problems, ...(step.kind === 'strategic' ? decoded.problems.sort() : decoded.problems)];
  if (found.length > 0 && step.options.fieldValidation === 'Strict') throw api.patcher.strictError(request, value, found);
  settlePatchProblems(found, step.options, call);
  const { object } = decoded;
  if (!object.metadata.name)
    throw badRequest(`the name of the object (${call.info.name} based on URL) was undeterminable: name must be provided`);
  checkName(object, call.info.name);
  checkNamespace(object, resource.namespaced, call.info.namespace);
  api.codec.applyDefaults(resource.type, object);
  const { subresource, live: old, manager } = step;
  trackFields(api, { resource, subresource, old, object, manager, time: timestamp() }, decoded.keptEmpty);
  return object;
}

/** Server-side apply (KEP-555): creates what is not there. */
async function apply(api: Api, call: Call, resource: Resource, strategy: Strategy, subresource: string): Promise<Result> {
  const options = writeOptions(call, 'PatchOptions', true);
  const { info } = call;
  const { value: applied, duplicates } = parseConfiguration(bodyText(call));
  if (duplicates.length > 0 && options.fieldValidation === 'Strict') throw strictConfigurationError(duplicates);
  settleProblems(duplicates, options, call);
  const merge = (live: KubeObject | undefined): KubeObject => {
    const request = {
      resource,
      subresource,
      live,
      applied,
      manager: managerOf(options, call),
      force: options.force === true,
      time: timestamp(),
    };
    const { value } = api.patcher.apply(request);
    const object = decodeApplied(api, resource, applied, value);
    if (!object.metadata.name)
      throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
    checkName(object, info.name);
    checkNamespace(object, resource.namespaced, info.namespace);
    api.codec.applyDefaults(resource.type, object);
    return object;
  };
  await api.cache.fresh();
  if (subresource === '' && !resource.cache.entries.has(keyOf(resource, info.namespace, info.name))) {
    const object = merge(undefined);
    await mayCreate(api, call);
    const text = await createObject(api, call, resource, info.namespace, object, options, { tracked: true });
    return { type: 'object', code: 201, text, resource };
  }
  const { text } = await change(api, call, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource,
    strategy,
    options,
    retry: true,
    next: merge,
  });
  return { type: 'object', code: 200, text, resource };
}

import type { Strategy } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { type Api, timestamp } from '../api.ts';
import type { Call, Result } from '../call.ts';
import { checkNamespace, checkOwnName, decodeBody } from '../decode-body.ts';
import { keyOf, type Resource } from '../registry.ts';
import { managerOf, settleProblems, writeOptions } from '../write-options.ts';
import { change } from './change.ts';
import { createObject, mayCreate } from './create.ts';
import { trackFields } from './track.ts';

/** PUT of an object, or of a subresource that is a part of it (`strategy` then says which part counts). */
export async function update(
  api: Api,
  call: Call,
  resource: Resource,
  strategy: Strategy = resource.strategy,
  subresource = '',
): Promise<Result> {
  const options = writeOptions(call, 'UpdateOptions');
  const { info } = call;
  const { object, problems, keptEmpty } = decodeBody(api, call, resource);
  settleProblems(problems, options, call, resource);
  checkOwnName(object, info.name);
  checkNamespace(object, resource.namespaced, info.namespace);
  api.codec.applyDefaults(resource.type, object);
  // Neither is a client's to own. A deletionTimestamp stays: validation says that it cannot be set this way.
  delete object.metadata.generation;
  delete object.metadata.selfLink;
  const body = JSON.stringify(object);
  const manager = managerOf(options, call);
  if (resource.strategy.createOnUpdate && subresource === '') {
    await api.cache.fresh();
    if (!resource.cache.entries.has(keyOf(resource, info.namespace, info.name))) {
      await mayCreate(api, call);
      delete object.metadata.resourceVersion;
      const text = await createObject(api, call, resource, info.namespace, object, options, { keptEmpty });
      return { type: 'object', code: 201, text, resource };
    }
  }
  const { text } = await change(api, call, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource,
    strategy,
    options,
    uidPrecondition: true,
    retry: !object.metadata.resourceVersion,
    next: (current) => {
      const next = JSON.parse(body) as KubeObject;
      trackFields(api, { resource, subresource, old: current, object: next, manager, time: timestamp() }, keptEmpty);
      return next;
    },
  });
  return { type: 'object', code: 200, text, resource };
}

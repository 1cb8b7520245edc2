import type { Subresource } from '@kubernel/sdk';
import type { Api } from '../api.ts';
import { allow } from '../auth.ts';
import type { Call, Result } from '../call.ts';
import { keyOf, type Resource } from '../registry.ts';
import { notFound } from '../status.ts';
import { currentObject } from '../verbs/change.ts';
import { nodeProxyTarget } from './node.ts';
import { execTarget, logTarget, podProxyTarget, portForwardTarget } from './pod.ts';
import { serviceProxyTarget } from './service-proxy.ts';
import { type ConnectTarget, splitName } from './target.ts';

export type ConnectSubresource = Extract<Subresource, { type: 'connect' }>;

/** log, exec, attach, portforward, proxy: may they connect, and where to? */
export async function connect(api: Api, call: Call, resource: Resource, found: ConnectSubresource): Promise<Result> {
  await api.cache.fresh();
  const { namespace, subresource } = call.info;
  const name = found.connect === 'proxy' ? splitName(call.info.name).name : call.info.name;
  const entry = resource.cache.entries.get(keyOf(resource, namespace, name));
  if (!entry) throw notFound(resource.group, resource.plural, name);
  const object = currentObject(resource, entry);
  if (found.connect !== 'log') {
    await mayOpen(api, call);
    const options = { kind: found.kind.kind, apiVersion: 'v1' };
    const attributes = {
      ...api.attributes(call, resource, 'CONNECT', { object: undefined, oldObject: undefined, options, dryRun: false }),
      subresource,
      kind: found.kind.kind,
    };
    await api.admission.admit(attributes);
    await api.admission.validate(attributes);
  }
  let target: ConnectTarget | undefined;
  switch (found.connect) {
    case 'log':
      target = logTarget(api, call, object);
      // A pod that is on no node yet has no log, which is no error.
      if (!target) return { type: 'raw', code: 204, contentType: '', body: '' };
      break;
    case 'exec':
    case 'attach':
      target = execTarget(api, call, object, found.connect);
      break;
    case 'portforward':
      target = portForwardTarget(api, call, object);
      break;
    case 'proxy':
      target =
        resource.plural === 'nodes'
          ? nodeProxyTarget(object, call)
          : resource.plural === 'services'
            ? serviceProxyTarget(api, object, call)
            : podProxyTarget(object, call);
      break;
  }
  return { type: 'connect', target };
}

/** A stream opened by a WebSocket's GET changes things as one opened by POST does: it takes the right to create, too. */
async function mayOpen(api: Api, call: Call): Promise<void> {
  const { info } = call;
  if (call.method !== 'GET' || info.subresource === 'proxy') return;
  const attributes = {
    user: call.user,
    verb: 'create',
    resourceRequest: true,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    path: call.path,
  };
  await allow(api, attributes);
}

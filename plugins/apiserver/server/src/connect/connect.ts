import type { Subresource } from '@kubernel/sdk';
import type { Api } from '../api.ts';
import type { Call, Result } from '../call.ts';
import { keyOf, type Resource } from '../registry.ts';
import { notFound, unavailable } from '../status.ts';

export type ConnectSubresource = Extract<Subresource, { type: 'connect' }>;

/** log, exec, attach, portforward, proxy: finds out where the connection goes. */
export async function connect(api: Api, call: Call, resource: Resource, _found: ConnectSubresource): Promise<Result> {
  await api.cache.fresh();
  const { namespace, name } = call.info;
  const entry = resource.cache.entries.get(keyOf(resource, namespace, name));
  if (!entry) throw notFound(resource.group, resource.plural, name);
  throw unavailable('the node proxy is not running');
}

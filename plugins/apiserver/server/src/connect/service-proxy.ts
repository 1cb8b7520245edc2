import type { KubeObject } from '@kubernel/sdk/api';
import type { Api } from '../api.ts';
import type { Call } from '../call.ts';
import { badRequest, unavailable } from '../status.ts';
import { bracketed } from './node.ts';
import { type ConnectTarget, proxyPath, splitName } from './target.ts';

interface ServicePort {
  name?: string;
  port: number;
}
interface EndpointSlice extends KubeObject {
  ports?: { name?: string; port?: number }[];
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[];
}

/** `services/[scheme:]NAME[:port]/proxy`: one of the service's ready endpoints, drawn at random. */
export function serviceProxyTarget(api: Api, service: KubeObject, call: Call): ConnectTarget {
  const { scheme, name, port } = splitName(call.info.name);
  const namespace = service.metadata.namespace ?? '';
  const ports = ((service.spec as { ports?: ServicePort[] } | undefined)?.ports ?? []) as ServicePort[];
  const wanted = portName(ports, port, name);
  const slices = api.reader
    .list<EndpointSlice>('discovery.k8s.io', 'endpointslices', namespace)
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name);
  const ready = slices.flatMap((slice) => {
    const at = slice.ports?.find((candidate) => (candidate.name ?? '') === wanted)?.port;
    if (at === undefined) return [];
    return (slice.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.map((address) => `${bracketed(address)}:${at}`));
  });
  const chosen = ready[Math.floor(Math.random() * ready.length)];
  if (!chosen) throw unavailable(`no endpoints available for service ${JSON.stringify(call.info.name)}`);
  return { url: `${scheme || 'http'}://${chosen}${proxyPath(call)}`, node: false, stripAuth: true };
}

/** Endpoint ports are known by name; a number in the URL is the service's own port. */
function portName(ports: readonly ServicePort[], asked: string, service: string): string {
  if (asked === '') {
    if (ports.length === 1) return ports[0]?.name ?? '';
    return '';
  }
  const found = ports.find((port) => String(port.port) === asked) ?? ports.find((port) => port.name === asked);
  if (found) return found.name ?? '';
  if (/^\d+$/.test(asked)) throw unavailable(`no service port ${asked} found for service ${JSON.stringify(service)}`);
  if (asked.length > 63) throw badRequest(`invalid service request ${JSON.stringify(service)}`);
  return asked;
}

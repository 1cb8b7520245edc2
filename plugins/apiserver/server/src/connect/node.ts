import type { KubeObject } from '@kubernel/sdk/api';
import type { Api } from '../api.ts';
import type { Call } from '../call.ts';
import { badRequest, internalError } from '../status.ts';
import { type ConnectTarget, proxyPath, splitName } from './target.ts';

interface NodeStatus {
  addresses?: { type: string; address: string }[];
  daemonEndpoints?: { kubeletEndpoint?: { Port?: number } };
}

const KUBELET_PORT = 10_250;
/** As kube-apiserver's --kubelet-preferred-address-types, without names: they need not resolve here. */
const PREFERRED = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'];

/** `https://10.0.0.5:10250` of a node by its name. */
export function kubeletUrl(api: Api, name: string): string {
  const node = api.reader.get('', 'nodes', '', name);
  if (!node) throw internalError(`Unknown node ${name}`);
  return kubeletUrlOf(node);
}

export function kubeletUrlOf(node: KubeObject): string {
  const status = (node.status ?? {}) as NodeStatus;
  for (const type of PREFERRED) {
    const address = status.addresses?.find((candidate) => candidate.type === type)?.address;
    if (address) return `https://${bracketed(address)}:${status.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT}`;
  }
  throw internalError(`no preferred addresses found; known addresses: ${JSON.stringify(status.addresses ?? [])}`);
}

export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** `nodes/NAME/proxy`: the kubelet, or another port of the node. */
export function nodeProxyTarget(node: KubeObject, call: Call): ConnectTarget {
  const { scheme, port } = splitName(call.info.name);
  const kubelet = kubeletUrlOf(node);
  if (!port || kubelet.endsWith(`:${port}`)) return { url: kubelet + proxyPath(call), node: true, stripAuth: true };
  if (scheme && scheme !== 'http' && scheme !== 'https') throw badRequest(`invalid node request ${JSON.stringify(call.info.name)}`);
  const host = kubelet.slice('https://'.length, kubelet.lastIndexOf(':'));
  return { url: `${scheme || 'http'}://${host}:${port}${proxyPath(call)}`, node: false, stripAuth: true };
}

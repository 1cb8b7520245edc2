import type { Call } from '../call.ts';

/** Where a connection is handed on to. The listener carries it out, byte for byte. */
export interface ConnectTarget {
  /** `https://10.0.0.5:10250/exec/…`, with query. */
  url: string;
  /** Show the kubelet client certificate: the other end is a node. */
  node: boolean;
  /** Requests to pods, services and nodes lose the caller's credentials. */
  stripAuth: boolean;
}

/** `[scheme:]name[:port]`, as proxy paths name things. */
export function splitName(text: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: '', name: text, port: '' };
  if (parts.length === 2) return { scheme: '', name: parts[0] as string, port: parts[1] as string };
  return { scheme: parts[0] as string, name: parts[1] as string, port: parts[2] as string };
}

/** The caller's query, as it was. */
export function proxyPath(call: Call): string {
  const query = call.query.toString();
  return `/${call.info.rest}${query ? `?${query}` : ''}`;
}

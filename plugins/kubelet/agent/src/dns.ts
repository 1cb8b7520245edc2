import { readFileSync } from 'node:fs';
import type { Pod } from '@kubernel/sdk/api';

export interface DnsConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;

/** A pod's resolv.conf (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy). */
export function podDns(pod: Pod, cluster: { dns: readonly string[]; domain: string }, host: DnsConfig): DnsConfig {
  const { dnsPolicy = 'ClusterFirst', hostNetwork, dnsConfig = {} } = pod.spec;
  const clusterFirst =
    cluster.dns.length > 0 && (dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork));
  let base: DnsConfig;
  if (dnsPolicy === 'None') {
    base = { servers: [], searches: [], options: [] };
  } else if (clusterFirst) {
    const domain = cluster.domain;
    base = {
      servers: [...cluster.dns],
      searches: [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches],
      options: ['ndots:5'],
    };
  } else {
    base = { ...host, servers: host.servers.length ? host.servers : ['127.0.0.1'] };
  }
  const options = new Map(base.options.map((option) => [option.split(':')[0]!, option]));
  for (const { name, value } of dnsConfig.options ?? []) options.set(name, value ? `${name}:${value}` : name);
  return {
    servers: unique([...base.servers, ...(dnsConfig.nameservers ?? [])]).slice(0, MAX_SERVERS),
    searches: unique([...base.searches, ...(dnsConfig.searches ?? [])]).slice(0, MAX_SEARCHES),
    options: [...options.values()],
  };
}

export function parseResolvConf(text: string): DnsConfig {
  const result: DnsConfig = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0]) result.servers.push(values[0]);
    else if (keyword === 'search') result.searches = values.map((value) => value.replace(/(.)\.$/, '$1'));
    else if (keyword === 'options') result.options = values;
  }
  return result;
}

/** systemd-resolved's stub listens on loopback, which in a pod is the pod's own. */
export function hostDns(): DnsConfig {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    try {
      const parsed = parseResolvConf(readFileSync(file, 'utf8'));
      if (parsed.servers.some((server) => !server.startsWith('127.'))) return parsed;
    } catch {
      // The next one.
    }
  }
  return { servers: [], searches: [], options: [] };
}

function unique(list: string[]): string[] {
  return [...new Set(list.filter(Boolean))];
}

import { readFileSync } from 'node:fs';
import type { Pod } from '@kubernel/sdk/api';

/**
 * The /etc/hosts the kubelet manages for each container that does not mount one of its own.
 * https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/
 */
export function etcHosts(pod: Pod, podIPs: readonly string[], clusterDomain: string): string {
  const { hostNetwork, hostAliases = [] } = pod.spec;
  let text: string;
  if (hostNetwork) {
    text = `# Kubernetes-managed hosts file (host network).\n${readHostFile()}`;
  } else {
    const { hostname, fqdn } = podHostname(pod, clusterDomain);
    const names = fqdn ? `${fqdn}\t${hostname}` : hostname;
    text = [
      '# Kubernetes-managed hosts file.',
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'fe00::0\tip6-mcastprefix',
      'fe00::1\tip6-allnodes',
      'fe00::2\tip6-allrouters',
      ...podIPs.map((ip) => `${ip}\t${names}`),
      '',
    ].join('\n');
  }
  if (hostAliases.length) {
    text += '\n# Entries added by HostAliases.\n';
    for (const { ip, hostnames = [] } of hostAliases) text += `${ip}\t${hostnames.join('\t')}\n`;
  }
  return text;
}

/** A name longer than 63 characters is cut, as a kernel takes no more. */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; fqdn?: string } {
  const { hostname: wanted, subdomain, hostnameOverride } = pod.spec as Pod['spec'] & { hostnameOverride?: string };
  if (hostnameOverride) return { hostname: hostnameOverride };
  const hostname = wanted || (pod.metadata.name ?? '').slice(0, 63).replace(/[-.]+$/, '');
  return subdomain ? { hostname, fqdn: `${hostname}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` } : { hostname };
}

function readHostFile(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8');
  } catch {
    return '127.0.0.1\tlocalhost\n';
  }
}

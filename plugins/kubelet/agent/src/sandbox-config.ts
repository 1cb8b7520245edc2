import { join } from 'node:path';
import type { PodSandboxConfig } from '@kubernel/sdk';
import type { Pod } from '@kubernel/sdk/api';
import { type DnsConfig, podDns } from './dns.ts';
import { podHostname } from './etc-hosts.ts';
import { NODE_NAME, POD_NAME, POD_NAMESPACE, POD_UID } from './labels.ts';
import type { PodSecurity } from './pod-fields.ts';
import { podCgroup } from './resources.ts';
import { sandboxSecurity } from './security.ts';

export interface SandboxInputs {
  pod: Pod;
  nodeName: string;
  attempt: number;
  logsDir: string;
  cgroupRoot: string;
  cluster: { dns: readonly string[]; domain: string };
  hostDns: DnsConfig;
}

export function podLogDirectory(logsDir: string, pod: Pod): string {
  return join(logsDir, `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`);
}

export function sandboxConfig({ pod, nodeName, attempt, logsDir, cgroupRoot, cluster, hostDns }: SandboxInputs): PodSandboxConfig {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const security = (pod.spec.securityContext ?? {}) as PodSecurity;
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: pod.spec.hostNetwork ? '' : podHostname(pod, cluster.domain).hostname,
    logDirectory: podLogDirectory(logsDir, pod),
    dnsConfig: podDns(pod, cluster, hostDns),
    portMappings: pod.spec.hostNetwork ? [] : portMappings(pod),
    labels: { ...pod.metadata.labels, [POD_NAME]: name, [POD_NAMESPACE]: namespace, [POD_UID]: uid, [NODE_NAME]: nodeName },
    annotations: { ...pod.metadata.annotations },
    linux: {
      cgroupParent: podCgroup(cgroupRoot, pod),
      securityContext: sandboxSecurity(pod),
      sysctls: Object.fromEntries((security.sysctls ?? []).map(({ name: key, value }) => [key, value])),
    },
  };
}

function portMappings(pod: Pod): NonNullable<PodSandboxConfig['portMappings']> {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')];
  return containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => hostPort)
      .map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }) => ({ protocol, containerPort, hostPort, hostIp: hostIP })),
  );
}

/** The baseline profile: nothing known to lead out of the container. https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline */
import type { Check } from './checks.ts';
import type { Container, PodLike, SecurityContext } from './pod.ts';
import { containersOf } from './pod.ts';
import { containers, distinct, plural, quoted, setters } from './wording.ts';

const CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** Safe sysctls, with the minor version that added each. */
const SYSCTLS: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
};

export const BASELINE: readonly Check[] = [
  { id: 'appArmorProfile', since: 0, check: appArmor },
  {
    id: 'capabilities_baseline',
    since: 0,
    check({ spec }) {
      const added = ({ securityContext }: Container): string[] =>
        (securityContext?.capabilities?.add ?? []).filter((name) => !CAPABILITIES.has(name));
      const bad = containersOf(spec).filter((container) => added(container).length > 0);
      if (bad.length === 0) return undefined;
      return {
        reason: 'non-default capabilities',
        detail: `${containers(bad)} must not include ${quoted(distinct(bad.flatMap(added)))} in securityContext.capabilities.add`,
      };
    },
  },
  {
    id: 'hostNamespaces',
    since: 0,
    check({ spec }) {
      const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]);
      return used.length > 0 ? { reason: 'host namespaces', detail: used.map((field) => `${field}=true`).join(', ') } : undefined;
    },
  },
  {
    id: 'hostPathVolumes',
    since: 0,
    check({ spec }) {
      const bad = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => String(name));
      return bad.length > 0
        ? { reason: 'hostPath volumes', detail: `${plural('volume', 'volumes', bad.length)} ${quoted(bad)}` }
        : undefined;
    },
  },
  {
    id: 'hostPorts',
    since: 0,
    check({ spec }) {
      const used = ({ ports }: Container): string[] => (ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
      const bad = containersOf(spec).filter((container) => used(container).length > 0);
      if (bad.length === 0) return undefined;
      const ports = distinct(bad.flatMap(used));
      const title = plural('hostPort', 'hostPorts', ports.length);
      return { reason: title, detail: `${containers(bad)} ${plural('uses', 'use', bad.length)} ${title} ${ports.join(', ')}` };
    },
  },
  {
    id: 'hostProbesAndhostLifecycle',
    since: 34,
    check({ spec }) {
      const hosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): string[] =>
        [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
          .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
          .filter((host): host is string => !!host);
      const bad = containersOf(spec).filter((container) => hosts(container).length > 0);
      if (bad.length === 0) return undefined;
      const names = distinct(bad.flatMap(hosts));
      return {
        reason: 'probe or lifecycle host',
        detail: `${containers(bad)} ${plural('uses', 'use', bad.length)} probe or lifecycle ${plural('host', 'hosts', names.length)} ${quoted(names)}`,
      };
    },
  },
  {
    id: 'privileged',
    since: 0,
    check({ spec }) {
      const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.privileged);
      return bad.length > 0
        ? { reason: 'privileged', detail: `${containers(bad)} must not set securityContext.privileged=true` }
        : undefined;
    },
  },
  {
    id: 'procMount',
    since: 0,
    check({ spec }) {
      const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.procMount && securityContext.procMount !== 'Default');
      if (bad.length === 0) return undefined;
      const types = distinct(bad.map(({ securityContext }) => securityContext?.procMount ?? ''));
      return { reason: 'procMount', detail: `${containers(bad)} must not set securityContext.procMount to ${quoted(types)}` };
    },
  },
  { id: 'seLinuxOptions', since: 0, check: seLinux },
  {
    id: 'seccompProfile_baseline',
    since: 19,
    check({ spec }) {
      const unconfined = (context: SecurityContext | undefined): boolean =>
        !!context?.seccompProfile && !['RuntimeDefault', 'Localhost'].includes(context.seccompProfile.type ?? '');
      const pod = unconfined(spec.securityContext);
      const bad = containersOf(spec).filter(({ securityContext }) => unconfined(securityContext));
      if (!pod && bad.length === 0) return undefined;
      const types = distinct(
        [...(pod ? [spec.securityContext] : []), ...bad.map(({ securityContext }) => securityContext)].map(
          (context) => context?.seccompProfile?.type ?? '',
        ),
      );
      return {
        reason: 'seccompProfile',
        detail: `${setters(pod, bad)} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
      };
    },
  },
  {
    id: 'sysctls',
    since: 0,
    check({ spec }, minor) {
      const bad = (spec.securityContext?.sysctls ?? [])
        .map(({ name }) => name)
        .filter((name) => SYSCTLS[name] === undefined || SYSCTLS[name] > minor);
      return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined;
    },
  },
  {
    id: 'windowsHostProcess',
    since: 0,
    check({ spec }) {
      const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
      const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.windowsOptions?.hostProcess);
      if (!pod && bad.length === 0) return undefined;
      return { reason: 'hostProcess', detail: `${setters(pod, bad)} must not set securityContext.windowsOptions.hostProcess=true` };
    },
  },
];

function appArmor({ metadata, spec }: Required<Pick<PodLike, 'spec'>> & PodLike): ReturnType<Check['check']> {
  const forbidden = (context: SecurityContext | undefined): boolean =>
    !!context?.appArmorProfile && !['RuntimeDefault', 'Localhost'].includes(context.appArmorProfile.type ?? '');
  const pod = forbidden(spec.securityContext);
  const bad = containersOf(spec).filter(({ securityContext }) => forbidden(securityContext));
  const annotations = Object.entries(metadata?.annotations ?? {})
    .filter(([key, value]) => key.startsWith(APPARMOR) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  if (!pod && bad.length === 0 && annotations.length === 0) return undefined;
  const types = distinct(
    [...(pod ? [spec.securityContext] : []), ...bad.map(({ securityContext }) => securityContext)].map(
      (context) => context?.appArmorProfile?.type ?? '',
    ),
  );
  const values = [...types, ...annotations];
  const who = [setters(pod, bad), annotations.length > 0 ? plural('annotation', 'annotations', annotations.length) : '']
    .filter((part) => part !== '')
    .join(' and ');
  return {
    reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', values.length),
    detail: `${who} must not set AppArmor profile type to ${quoted(values)}`,
  };
}

function seLinux({ spec }: Required<Pick<PodLike, 'spec'>>, minor: number): ReturnType<Check['check']> {
  const allowed = ['', 'container_t', 'container_init_t', 'container_kvm_t', ...(minor >= 31 ? ['container_engine_t'] : [])];
  const bad = (context: SecurityContext | undefined): boolean => {
    const options = context?.seLinuxOptions;
    return !!options && (!allowed.includes(options.type ?? '') || !!options.user || !!options.role);
  };
  const pod = bad(spec.securityContext);
  const list = containersOf(spec).filter(({ securityContext }) => bad(securityContext));
  if (!pod && list.length === 0) return undefined;
  const options = [...(pod ? [spec.securityContext] : []), ...list.map(({ securityContext }) => securityContext)].map(
    (context) => context?.seLinuxOptions ?? {},
  );
  const types = distinct(options.map(({ type }) => type ?? '').filter((type) => !allowed.includes(type)));
  const what = [
    ...(types.length > 0 ? [`${plural('type', 'types', types.length)} ${quoted(types)}`] : []),
    ...(options.some(({ user }) => user) ? ['user may not be set'] : []),
    ...(options.some(({ role }) => role) ? ['role may not be set'] : []),
  ];
  return { reason: 'seLinuxOptions', detail: `${setters(pod, list)} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}` };
}

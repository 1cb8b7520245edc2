import type { ContainerSecurityContext, Image, NamespaceOption, SandboxSecurityContext, SecurityProfile } from '@kubernel/sdk';
import type { Container, Pod } from '@kubernel/sdk/api';
import { ContainerWaiting } from './errors.ts';
import { type ContainerSecurity, type PodSecurity, podFormat } from './pod-fields.ts';

/** What a runtime hides of /proc and /sys unless told otherwise. */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export function namespaceOptions(pod: Pod): NamespaceOption {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  return {
    network: hostNetwork ? 'NODE' : 'POD',
    pid: hostPID ? 'NODE' : shareProcessNamespace ? 'POD' : 'CONTAINER',
    ipc: hostIPC ? 'NODE' : 'POD',
  };
}

export function sandboxSecurity(pod: Pod): SandboxSecurityContext {
  const security = (pod.spec.securityContext ?? {}) as PodSecurity;
  const privileged = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some(
    ({ securityContext }) => (securityContext as ContainerSecurity | undefined)?.privileged,
  );
  return {
    namespaceOptions: namespaceOptions(pod),
    privileged,
    seccomp: { profileType: 'RuntimeDefault' },
    supplementalGroups: groups(security),
    ...(security.runAsUser === undefined ? {} : { runAsUser: { value: security.runAsUser } }),
    ...(security.runAsUser === undefined || security.runAsGroup === undefined ? {} : { runAsGroup: { value: security.runAsGroup } }),
  };
}

/** A container's own settings win over its pod's (https://kubernetes.io/docs/tasks/configure-pod-container/security-context/). */
export function containerSecurity(pod: Pod, container: Container, image: Image): ContainerSecurityContext {
  const podLevel = (pod.spec.securityContext ?? {}) as PodSecurity;
  const own = (container.securityContext ?? {}) as ContainerSecurity;
  const runAsUser = own.runAsUser ?? podLevel.runAsUser;
  const runAsGroup = own.runAsGroup ?? podLevel.runAsGroup;
  checkNonRoot(pod, container, own.runAsNonRoot ?? podLevel.runAsNonRoot, runAsUser, image);

  const { add = [], drop = [] } = own.capabilities ?? {};
  const apparmor = own.appArmorProfile ?? podLevel.appArmorProfile;
  const masked = own.procMount !== 'Unmasked' && !own.privileged;
  return {
    namespaceOptions: namespaceOptions(pod),
    privileged: own.privileged ?? false,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    capabilities: { addCapabilities: add, dropCapabilities: drop },
    supplementalGroups: groups(podLevel),
    ...(podLevel.supplementalGroupsPolicy ? { supplementalGroupsPolicy: podLevel.supplementalGroupsPolicy } : {}),
    ...user(runAsUser, image),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    maskedPaths: masked ? MASKED_PATHS : [],
    readonlyPaths: masked ? READONLY_PATHS : [],
    seccomp: profile(own.seccompProfile ?? podLevel.seccompProfile, 'Unconfined'),
    // Only where one is asked for: a runtime refuses any on a machine without AppArmor.
    ...(apparmor ? { apparmor: profile(apparmor, 'RuntimeDefault') } : {}),
  };
}

/** CRI asks for a user where a group is given: the image's own then. */
function user(runAsUser: number | undefined, image: Image): Partial<ContainerSecurityContext> {
  if (runAsUser !== undefined) return { runAsUser: { value: runAsUser } };
  if (image.uid) return { runAsUser: { value: image.uid.value } };
  return image.username ? { runAsUsername: image.username } : { runAsUser: { value: 0 } };
}

function groups(security: PodSecurity): number[] {
  const list = [...(security.supplementalGroups ?? [])];
  if (security.fsGroup !== undefined) list.push(security.fsGroup);
  return list;
}

function profile(wanted: PodSecurity['seccompProfile'], otherwise: SecurityProfile['profileType']): SecurityProfile {
  if (!wanted) return { profileType: otherwise };
  return { profileType: wanted.type, ...(wanted.localhostProfile ? { localhostRef: wanted.localhostProfile } : {}) };
}

function checkNonRoot(pod: Pod, container: Container, nonRoot: boolean | undefined, runAsUser: number | undefined, image: Image): void {
  if (!nonRoot) return;
  const where = `(pod: "${podFormat(pod)}", container: ${container.name})`;
  if (runAsUser === 0) throw refused(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  if (image.uid ? image.uid.value === 0 : !image.username) throw refused(`container has runAsNonRoot and image will run as root ${where}`);
  if (!image.uid) {
    throw refused(`container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`);
  }
}

function refused(message: string): ContainerWaiting {
  return new ContainerWaiting('CreateContainerConfigError', message);
}

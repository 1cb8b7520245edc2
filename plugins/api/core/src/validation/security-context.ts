import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { byteLength, checkEnumPointer, checkRequired, userOrGroupId } from '@kubernel/sdk/api';
import { printGoForm } from './go-form.ts';
import { checkDescendingPath } from './paths.ts';
import { checkWindowsOptions } from './windows.ts';

/** securityContext of pods and of containers. */

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function checkId(value: number | undefined, path: FieldPath, errors: FieldErrors): void {
  if (value !== undefined) errors.invalidEach(path, value, userOrGroupId(value));
}

function checkSeccompProfile(profile: Decoded | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!profile) return;
  const { type = '', localhostProfile } = profile;
  if (!type) errors.required(path.child('type'), 'type is required when seccompProfile is set');
  else if (!PROFILE_TYPES.includes(type)) errors.notSupported(path.child('type'), type, PROFILE_TYPES);
  const at = path.child('localhostProfile');
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined) {
      errors.invalid(at, printGoForm('core.v1.SeccompProfile', profile), 'can only be set when seccomp type is Localhost');
    }
  } else if (localhostProfile === undefined) {
    errors.required(at, 'must be set when seccomp type is Localhost');
  } else {
    checkDescendingPath(localhostProfile, at, errors);
  }
}

function checkAppArmorProfile(profile: Decoded | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!profile) return;
  const { type = '', localhostProfile } = profile;
  const at = path.child('localhostProfile');
  const missing = 'must be set when AppArmor type is Localhost';
  if (type === 'Localhost') {
    if (localhostProfile === undefined) {
      errors.required(at, missing);
      return;
    }
    if (localhostProfile.trim() !== localhostProfile) errors.invalid(at, localhostProfile, 'must not be padded with whitespace');
    else if (localhostProfile === '') errors.required(at, missing);
    if (byteLength(localhostProfile) > 4095) errors.tooLong(at, 4095);
  } else if (type === 'RuntimeDefault' || type === 'Unconfined') {
    if (localhostProfile !== undefined) errors.invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost');
  } else if (type === '') {
    errors.required(path.child('type'), 'type is required when appArmorProfile is set');
  } else {
    errors.notSupported(path.child('type'), type, PROFILE_TYPES);
  }
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const SYSCTL_TEXT = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const IPC_SYSCTLS = [
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
];

function checkSysctls(sysctls: readonly Decoded[], spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>();
  sysctls.forEach(({ name = '' }, i) => {
    const at = path.index(i).child('name');
    if (checkRequired(name, at, errors)) {
      if (name.length > 253 || !SYSCTL.test(name))
        errors.invalid(at, name, `must have at most 253 characters and match regex ${SYSCTL_TEXT}`);
      else if (seen.has(name)) errors.duplicate(at, name);
    }
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork && dotted.startsWith('net.')) errors.invalid(at, name, "may not be specified when 'hostNetwork' is true");
    else if (spec.hostIPC && (dotted.startsWith('fs.mqueue.') || IPC_SYSCTLS.includes(dotted)))
      errors.invalid(at, name, "may not be specified when 'hostIPC' is true");
    seen.add(name);
  });
}

/** What upstream keeps in its pod security context is checked here, with `spec` for the host namespaces. */
export function checkPodSecurityContext(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const context: Decoded = spec.securityContext ?? {};
  checkId(context.fsGroup, path.child('fsGroup'), errors);
  checkId(context.runAsUser, path.child('runAsUser'), errors);
  checkId(context.runAsGroup, path.child('runAsGroup'), errors);
  (context.supplementalGroups ?? []).forEach((id: number, i: number) => {
    checkId(id, path.child('supplementalGroups').index(i), errors);
  });
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.invalid(path.child('shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  }
  checkSysctls(context.sysctls ?? [], spec, path.child('sysctls'), errors);
  checkEnumPointer(context.fsGroupChangePolicy, path.child('fsGroupChangePolicy'), errors, ['Always', 'OnRootMismatch']);
  checkSeccompProfile(context.seccompProfile, path.child('seccompProfile'), errors);
  checkWindowsOptions(context.windowsOptions, path.child('windowsOptions'), errors);
  checkAppArmorProfile(context.appArmorProfile, path.child('appArmorProfile'), errors);
  checkEnumPointer(context.supplementalGroupsPolicy, path.child('supplementalGroupsPolicy'), errors, ['Merge', 'Strict']);
  checkEnumPointer(context.seLinuxChangePolicy, path.child('seLinuxChangePolicy'), errors, ['Recursive']);
}

export function checkSecurityContext(context: Decoded | undefined, path: FieldPath, errors: FieldErrors, hostUsers: boolean): void {
  if (!context) return;
  checkId(context.runAsUser, path.child('runAsUser'), errors);
  checkId(context.runAsGroup, path.child('runAsGroup'), errors);
  checkEnumPointer(context.procMount, path.child('procMount'), errors, ['Default', 'Unmasked']);
  if (hostUsers && context.procMount === 'Unmasked')
    errors.invalid(path.child('procMount'), 'Unmasked', '`hostUsers` must be false to use `Unmasked`');
  checkSeccompProfile(context.seccompProfile, path.child('seccompProfile'), errors);
  if (context.allowPrivilegeEscalation === false) {
    const printed = printGoForm('core.v1.SecurityContext', context);
    if (context.privileged) errors.invalid(path, printed, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
    for (const capability of context.capabilities?.add ?? []) {
      if (capability === 'CAP_SYS_ADMIN') {
        errors.invalid(path, printed, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN');
      }
    }
  }
  checkWindowsOptions(context.windowsOptions, path.child('windowsOptions'), errors);
  checkAppArmorProfile(context.appArmorProfile, path.child('appArmorProfile'), errors);
}

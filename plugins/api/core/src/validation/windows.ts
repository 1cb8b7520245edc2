import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { byteLength, dns1123Subdomain } from '@kubernel/sdk/api';
import { eachContainer } from './container-visit.ts';

/** What holds for Windows options and, by spec.os, for pods of either system. */

const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_DOMAIN = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

export function checkWindowsOptions(options: Decoded | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!options) return;
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (specName !== undefined) errors.invalidEach(path.child('gmsaCredentialSpecName'), specName, dns1123Subdomain(specName));
  if (spec !== undefined) {
    if (spec === '') errors.invalid(path.child('gmsaCredentialSpec'), spec, 'gmsaCredentialSpec cannot be an empty string');
    else if (byteLength(spec) > 64 * 1024)
      errors.invalid(path.child('gmsaCredentialSpec'), spec, 'gmsaCredentialSpec size must be under 64 KiB');
  }
  if (user !== undefined) for (const message of userNameMessages(user)) errors.invalid(path.child('runAsUserName'), user, message);
}

function userNameMessages(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const messages: string[] = [];
  const user = parts[parts.length - 1] ?? '';
  if (parts.length === 2) {
    const domain = parts[0] ?? '';
    if (domain.length >= 256) messages.push("runAsUserName's Domain length must be under 256 characters");
    if (!NETBIOS.test(domain) && !DNS_DOMAIN.test(domain))
      messages.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === '') messages.push("runAsUserName's User cannot be empty");
  else if (user.length > 104) messages.push("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) messages.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) messages.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  return messages;
}

/** Host process containers come all or none, and on the host's network. */
export function checkHostProcess(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let containers = 0;
  let hostProcesses = 0;
  eachContainer(spec, path, (container, at) => {
    containers++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      errors.invalid(
        at.child('securityContext', 'windowsOptions', 'hostProcess'),
        own,
        `pod hostProcess value must be identical if both are specified, was ${ofPod}`,
      );
    }
    if (own ?? ofPod) hostProcesses++;
  });
  if (hostProcesses === 0) return;
  if (hostProcesses !== containers)
    errors.invalid(path, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers');
  if (!spec.hostNetwork)
    errors.invalid(path.child('hostNetwork'), false, 'hostNetwork must be true if pod contains any hostProcess containers');
}

export function checkOs(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const name = spec.os?.name ?? '';
  const at = path.child('os');
  if (name === '') errors.required(at.child('name'));
  else if (name === 'linux') checkLinux(spec, path, errors);
  else if (name === 'windows') checkWindows(spec, path, errors);
  else errors.notSupported(at, name, ['linux', 'windows']);
}

function checkLinux(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const message = 'windows options cannot be set for a linux pod';
  if (spec.securityContext?.windowsOptions) errors.forbidden(path.child('securityContext', 'windowsOptions'), message);
  eachContainer(spec, path, (container, at) => {
    if (container.securityContext?.windowsOptions) errors.forbidden(at.child('securityContext', 'windowsOptions'), message);
  });
}

/** In upstream's order; a field stands in the security context unless it begins with `spec.`. */
const NOT_ON_WINDOWS = [
  'appArmorProfile',
  'seLinuxOptions',
  'spec.hostUsers',
  'spec.hostPID',
  'spec.hostIPC',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'spec.shareProcessNamespace',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];
const NOT_IN_WINDOWS_CONTAINERS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];
/** Fields without a Go pointer: false and empty are as good as absent. */
const PLAIN = ['spec.hostPID', 'spec.hostIPC', 'sysctls'];

function checkWindows(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const message = 'cannot be set for a windows pod';
  for (const field of NOT_ON_WINDOWS) {
    const ofSpec = field.startsWith('spec.');
    const name = ofSpec ? field.slice(5) : field;
    const value = ofSpec ? spec[name] : spec.securityContext?.[name];
    if (value === undefined || (PLAIN.includes(field) && (!value || value.length === 0))) continue;
    errors.forbidden(ofSpec ? path.child(name) : path.child('securityContext', name), message);
  }
  eachContainer(spec, path, (container, at) => {
    for (const field of NOT_IN_WINDOWS_CONTAINERS) {
      if (container.securityContext?.[field] !== undefined) errors.forbidden(at.child('securityContext', field), message);
    }
  });
}

import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import {
  checkDnsLabel,
  checkEnum,
  checkQualifiedName,
  dns1123Subdomain,
  dns1123SubdomainWithUnderscore,
  goJson,
  legacyAddressMessages,
  nameIsDNSSubdomain,
  outsideRange,
  PrintedValue,
  validateLabels,
} from '@kubernel/sdk/api';
import { checkAffinity, checkTolerations, checkTopologySpread } from './affinity.ts';
import { checkContainers, checkEphemeralContainers, checkInitContainers } from './containers.ts';
import { checkVolumes } from './pod-volumes.ts';
import { checkContainerResources, checkPodResources } from './resources.ts';
import { checkPodSecurityContext } from './security-context.ts';
import { checkHostProcess, checkOs } from './windows.ts';

/** Where a pod spec stands: a pod itself (with its name, once it has one), or a template. */
export interface PodPlace {
  isPod: boolean;
  podName?: string;
}

/** core.v1.PodSpec, in upstream's order. */
export function checkPodSpec(spec: Decoded, path: FieldPath, errors: FieldErrors, place: PodPlace): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.required(path.child('terminationGracePeriodSeconds'));
  const volumes = checkVolumes(spec.volumes ?? [], path.child('volumes'), errors, place.podName);
  checkClaims(spec.resourceClaims ?? [], path.child('resourceClaims'), errors);
  const claims = new Set<string>(
    (spec.resourceClaims ?? []).map((claim: Decoded) => claim.name ?? '').filter((name: string) => name !== ''),
  );
  const restartPolicy = spec.restartPolicy ?? '';
  const scope = { volumes, claims, restartPolicy, hostUsers: spec.hostUsers !== false, gracePeriod: spec.terminationGracePeriodSeconds };
  checkContainers(spec.containers ?? [], path.child('containers'), errors, scope);
  checkInitContainers(spec, path.child('initContainers'), errors, scope);
  checkEphemeralContainers(spec, path.child('ephemeralContainers'), errors, scope);
  checkPodResources(spec, path.child('resources'), errors, claims);
  checkHostNetworkPorts(spec, path, errors, place.isPod);
  checkEnum(restartPolicy, path.child('restartPolicy'), errors, ['Always', 'OnFailure', 'Never']);
  checkEnum(spec.dnsPolicy, path.child('dnsPolicy'), errors, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']);
  validateLabels(spec.nodeSelector, path.child('nodeSelector'), errors);
  checkPodSecurityContext(spec, path.child('securityContext'), errors);
  checkAffinity(spec.affinity, path.child('affinity'), errors);
  checkDnsConfig(spec, path.child('dnsConfig'), errors);
  (spec.readinessGates ?? []).forEach((gate: Decoded, i: number) => {
    checkQualifiedName(gate.conditionType ?? '', path.child('readinessGates').index(i).child('conditionType'), errors);
  });
  checkSchedulingGates(spec.schedulingGates ?? [], path.child('schedulingGates'), errors);
  checkTopologySpread(spec.topologySpreadConstraints ?? [], path.child('topologySpreadConstraints'), errors);
  checkHostProcess(spec, path, errors);
  checkHostUsers(spec, path, errors);
  checkNames(spec, path, errors);
  checkTolerations(spec.tolerations ?? [], path.child('tolerations'), errors);
  checkHostAliases(spec.hostAliases ?? [], path.child('hostAliases'), errors);
  if (spec.priorityClassName) checkSubdomain(spec.priorityClassName, path.child('priorityClassName'), errors);
  if (spec.runtimeClassName !== undefined) checkSubdomain(spec.runtimeClassName, path.child('runtimeClassName'), errors);
  if (spec.preemptionPolicy !== undefined) checkPreemptionPolicy(spec.preemptionPolicy, path.child('preemptionPolicy'), errors);
  if (spec.overhead) checkContainerResources({ limits: spec.overhead }, path.child('overhead'), errors);
  if (spec.os) checkOs(spec, path, errors);
}

export function checkPreemptionPolicy(policy: string, path: FieldPath, errors: FieldErrors): void {
  checkEnum(policy, path, errors, ['PreemptLowerPriority', 'Never']);
}

function checkSubdomain(name: string, path: FieldPath, errors: FieldErrors): void {
  errors.invalidEach(path, name, nameIsDNSSubdomain(name, false));
}

function checkNames(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (spec.serviceAccountName) checkSubdomain(spec.serviceAccountName, path.child('serviceAccountName'), errors);
  if (spec.nodeName) checkSubdomain(spec.nodeName, path.child('nodeName'), errors);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647)) {
    errors.invalid(path.child('activeDeadlineSeconds'), deadline, outsideRange(1, 2147483647));
  }
  if (spec.hostname) checkDnsLabel(spec.hostname, path.child('hostname'), errors);
  if (spec.subdomain) checkDnsLabel(spec.subdomain, path.child('subdomain'), errors);
  if (spec.hostnameOverride !== undefined) checkHostnameOverride(spec, path.child('hostnameOverride'), errors);
}

/** The whole host name (KEP-4762): at most what Linux takes, and not together with what else would set it. */
function checkHostnameOverride(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const name: string = spec.hostnameOverride;
  errors.invalidEach(path, name, dns1123Subdomain(name));
  if (name.length > 64) errors.tooLong(path, 64);
  if (spec.hostNetwork) errors.forbidden(path, 'may not be specified when `hostNetwork` is true');
  if (spec.setHostnameAsFQDN) errors.forbidden(path, 'may not be specified when `setHostnameAsFQDN` is true');
}

function checkClaims(claims: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>();
  claims.forEach((claim, i) => {
    const at = path.index(i);
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claim;
    const printed = new PrintedValue(
      goJson({ Name: name, ResourceClaimName: resourceClaimName ?? null, ResourceClaimTemplateName: resourceClaimTemplateName ?? null }),
    );
    if (!name) errors.required(at.child('name'));
    else if (seen.has(name)) errors.duplicate(at.child('name'), name);
    else checkDnsLabel(name, at.child('name'), errors);
    seen.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.invalid(at, printed, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified');
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.invalid(at, printed, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    }
    if (resourceClaimName !== undefined) checkSubdomain(resourceClaimName, at.child('resourceClaimName'), errors);
    if (resourceClaimTemplateName !== undefined) checkSubdomain(resourceClaimTemplateName, at.child('resourceClaimTemplateName'), errors);
  });
}

function checkHostNetworkPorts(spec: Decoded, path: FieldPath, errors: FieldErrors, isPod: boolean): void {
  if (!spec.hostNetwork) return;
  (spec.containers ?? []).forEach((container: Decoded, i: number) => {
    (container.ports ?? []).forEach(({ hostPort = 0, containerPort = 0 }: Decoded, j: number) => {
      if ((!isPod && hostPort === 0) || hostPort === containerPort) return;
      const at = path.child('containers').index(i).child('ports').index(j).child('hostPort');
      errors.invalid(at, hostPort, 'must match `containerPort` when `hostNetwork` is true');
    });
  });
}

function checkDnsConfig(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const config = spec.dnsConfig;
  if (spec.dnsPolicy === 'None') {
    if (!config) {
      errors.required(path, 'must provide `dnsConfig` when `dnsPolicy` is None');
      return;
    }
    if (!config.nameservers?.length) {
      errors.required(path.child('nameservers'), 'must provide at least one DNS nameserver when `dnsPolicy` is None');
      return;
    }
  }
  if (!config) return;
  const { nameservers = [], searches = [], options = [] } = config;
  if (nameservers.length > 3) errors.invalid(path.child('nameservers'), nameservers, 'must not have more than 3 nameservers');
  nameservers.forEach((address: string, i: number) => {
    errors.invalidEach(path.child('nameservers').index(i), address, legacyAddressMessages(address));
  });
  if (searches.length > 32) errors.invalid(path.child('searches'), searches, 'must not have more than 32 search paths');
  if (searches.join(' ').length > 2048) {
    errors.invalid(path.child('searches'), searches, 'must not have more than 2048 characters (including spaces) in the search list');
  }
  searches.forEach((search: string, i: number) => {
    if (search === '.') return;
    const domain = search.endsWith('.') ? search.slice(0, -1) : search;
    errors.invalidEach(path.child('searches').index(i), domain, dns1123SubdomainWithUnderscore(domain));
  });
  options.forEach((option: Decoded, i: number) => {
    if (!option.name) errors.required(path.child('options').index(i), 'must not be empty');
  });
}

function checkSchedulingGates(gates: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>();
  gates.forEach(({ name = '' }, i) => {
    checkQualifiedName(name, path.index(i), errors);
    if (seen.has(name)) errors.duplicate(path.index(i), name);
    seen.add(name);
  });
}

function checkHostUsers(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (spec.hostUsers !== false) return;
  const message = 'when `hostUsers` is false';
  if (spec.hostNetwork) errors.forbidden(path.child('hostNetwork'), message);
  if (spec.hostPID) errors.forbidden(path.child('HostPID'), message);
  if (spec.hostIPC) errors.forbidden(path.child('HostIPC'), message);
}

function checkHostAliases(aliases: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  aliases.forEach(({ ip = '', hostnames = [] }, i) => {
    errors.invalidEach(path.index(i).child('ip'), ip, legacyAddressMessages(ip));
    hostnames.forEach((name: string, j: number) => {
      errors.invalidEach(path.index(i).child('hostnames').index(j), name, dns1123Subdomain(name));
    });
  });
}

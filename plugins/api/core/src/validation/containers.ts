import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkDnsLabel, checkEnum, checkRequired, portName, portNumber } from '@kubernel/sdk/api';
import { checkEnv, checkEnvFrom } from './env.ts';
import { checkVolumeDevices, checkVolumeMounts } from './mounts.ts';
import { checkLifecycle, checkProbes } from './probes.ts';
import { checkContainerResources } from './resources.ts';
import { checkSecurityContext } from './security-context.ts';

/** The three lists of containers of a pod. */

export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

/** What containers are checked against. */
export interface PodScope {
  volumes: ReadonlyMap<string, Decoded>;
  claims: ReadonlySet<string>;
  restartPolicy: string;
  hostUsers: boolean;
  gracePeriod: number | undefined;
}

function checkPorts(ports: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  const names = new Set<string>();
  ports.forEach((port, i) => {
    let at = path.index(i);
    const { name = '', containerPort = 0, hostPort = 0 } = port;
    if (name) {
      const messages = portName(name);
      errors.invalidEach(at.child('name'), name, messages);
      if (messages.length === 0 && names.has(name)) errors.duplicate(at.child('name'), name);
      else if (messages.length === 0) names.add(name);
    }
    at = path.index(i);
    if (containerPort === 0) errors.required(at.child('containerPort'));
    else errors.invalidEach(at.child('containerPort'), containerPort, portNumber(containerPort));
    if (hostPort !== 0) errors.invalidEach(at.child('hostPort'), hostPort, portNumber(hostPort));
    checkEnum(port.protocol, at.child('protocol'), errors, PROTOCOLS);
  });
}

function checkResizePolicy(policies: readonly Decoded[], path: FieldPath, errors: FieldErrors, podRestartPolicy: string): void {
  const seen = new Set<string>();
  policies.forEach(({ resourceName = '', restartPolicy = '' }, i) => {
    if (seen.has(resourceName)) errors.duplicate(path.index(i), resourceName);
    seen.add(resourceName);
    checkEnum(resourceName, path, errors, ['cpu', 'memory']);
    checkEnum(restartPolicy, path, errors, ['NotRequired', 'RestartContainer']);
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
    }
  });
}

function checkCommon(container: Decoded, path: FieldPath, errors: FieldErrors, scope: PodScope): void {
  if (checkRequired(container.name, path.child('name'), errors)) checkDnsLabel(container.name, path.child('name'), errors);
  checkRequired(container.image, path.child('image'), errors);
  checkEnum(container.terminationMessagePolicy, path.child('terminationMessagePolicy'), errors, ['File', 'FallbackToLogsOnError']);
  checkPorts(container.ports ?? [], path.child('ports'), errors);
  checkEnv(container.env ?? [], path.child('env'), errors, scope.volumes);
  checkEnvFrom(container.envFrom ?? [], path.child('envFrom'), errors);
  checkVolumeMounts(container, path.child('volumeMounts'), errors, scope.volumes);
  checkVolumeDevices(container, path.child('volumeDevices'), errors, scope.volumes);
  checkEnum(container.imagePullPolicy, path.child('imagePullPolicy'), errors, PULL_POLICIES);
  checkContainerResources(container.resources ?? {}, path.child('resources'), errors, scope.claims);
  checkResizePolicy(container.resizePolicy ?? [], path.child('resizePolicy'), errors, scope.restartPolicy);
  checkSecurityContext(container.securityContext, path.child('securityContext'), errors, scope.hostUsers);
}

/** A container's own restartPolicy and its rules (KEP-5307). */
function checkRestart(container: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const at = path.child('restartPolicy');
  if (restartPolicy === undefined) {
    if (rules.length) errors.required(at, 'must specify restartPolicy when restart rules are used');
  } else if (!['Always', 'Never', 'OnFailure'].includes(restartPolicy)) {
    errors.notSupported(at, restartPolicy, ['Always', 'Never', 'OnFailure']);
  }
  const list = path.child('restartPolicyRules');
  if (rules.length > 20) errors.tooMany(list, rules.length, 20);
  rules.forEach((rule: Decoded, i: number) => {
    const actions = ['Restart', 'RestartAllContainers'];
    if (!actions.includes(rule.action ?? '')) errors.notSupported(list.index(i).child('action'), rule.action ?? '', actions);
    const codes = list.index(i).child('exitCodes');
    if (!rule.exitCodes) {
      errors.required(codes, 'must be specified');
      return;
    }
    const { operator = '', values = [] } = rule.exitCodes;
    if (operator !== 'In' && operator !== 'NotIn') errors.notSupported(codes.child('operator'), operator, ['In', 'NotIn']);
    if (values.length > 255) errors.tooMany(codes.child('values'), values.length, 255);
  });
}

/** Host ports by protocol, address and number; `seen` goes on from container to container. */
function checkHostPorts(container: Decoded, path: FieldPath, errors: FieldErrors, seen: Set<string>): void {
  (container.ports ?? []).forEach((port: Decoded, i: number) => {
    if (!port.hostPort) return;
    const key = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`;
    if (seen.has(key)) errors.duplicate(path.child('ports').index(i).child('hostPort'), key);
    seen.add(key);
  });
}

export function checkContainers(containers: readonly Decoded[], path: FieldPath, errors: FieldErrors, scope: PodScope): void {
  if (containers.length === 0) {
    errors.required(path);
    return;
  }
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = path.index(i);
    checkCommon(container, at, errors, scope);
    if (names.has(container.name ?? '')) errors.duplicate(at.child('name'), container.name ?? '');
    names.add(container.name ?? '');
    checkLifecycle(container.lifecycle, at.child('lifecycle'), errors, scope.gracePeriod);
    checkProbes(container, at, errors);
    checkRestart(container, at, errors);
  });
  const hostPorts = new Set<string>();
  containers.forEach((container, i) => {
    checkHostPorts(container, path.index(i), errors, hostPorts);
  });
}

export function checkInitContainers(spec: Decoded, path: FieldPath, errors: FieldErrors, scope: PodScope): void {
  const names = new Set<string>((spec.containers ?? []).map((container: Decoded) => container.name ?? ''));
  (spec.initContainers ?? []).forEach((container: Decoded, i: number) => {
    const at = path.index(i);
    checkCommon(container, at, errors, scope);
    checkRestart(container, at, errors);
    if (names.has(container.name ?? '')) errors.duplicate(at.child('name'), container.name ?? '');
    else if (container.name) names.add(container.name);
    // They run one by one, so each has the host's ports to itself. Upstream counts them from 0 each time.
    checkHostPorts(container, path.index(0), errors, new Set());
    if (container.restartPolicy === 'Always') {
      checkLifecycle(container.lifecycle, at.child('lifecycle'), errors, scope.gracePeriod);
      checkProbes(container, at, errors);
      return;
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
      if (container[field]) errors.forbidden(at.child(field), 'may not be set for init containers without restartPolicy=Always');
    }
  });
}

/** Fields of a container that an ephemeral one may not have, in the order of the type. */
const NOT_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
];

export function checkEphemeralContainers(spec: Decoded, path: FieldPath, errors: FieldErrors, scope: PodScope): void {
  const others = new Set<string>(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container: Decoded) => container.name ?? ''),
  );
  const names = new Set(others);
  (spec.ephemeralContainers ?? []).forEach((container: Decoded, i: number) => {
    const at = path.index(i);
    checkCommon(container, at, errors, scope);
    checkImageSpaces(container, at, errors);
    if (names.has(container.name ?? '')) errors.duplicate(at.child('name'), container.name ?? '');
    names.add(container.name ?? '');
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.notFound(at.child('targetContainerName'), target);
    const forbidden = 'cannot be set for an Ephemeral Container';
    for (const field of NOT_EPHEMERAL) {
      const value = container[field];
      const isSet = value !== undefined && value !== null && (typeof value !== 'object' || Object.keys(value).length > 0);
      if (isSet) errors.forbidden(at.child(field), forbidden);
    }
    (container.volumeMounts ?? []).forEach((mount: Decoded, j: number) => {
      if (mount.subPath) errors.forbidden(at.child('volumeMounts').index(j).child('subPath'), forbidden);
      if (mount.subPathExpr) errors.forbidden(at.child('volumeMounts').index(j).child('subPathExpr'), forbidden);
    });
  });
}

/** For pods only: a template may have spaces around an image, which some systems replace before pods are made. */
export function checkImageSpaces(container: Decoded, path: FieldPath, errors: FieldErrors): void {
  const image = container.image ?? '';
  if (image.trim() !== image) errors.invalid(path.child('image'), image, 'must not have leading or trailing whitespace');
}

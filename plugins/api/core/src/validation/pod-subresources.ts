import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkQualifiedName,
  FieldPath,
  legacyAddressMessages,
  nameIsDNSSubdomain,
  parseAddress,
  semanticEqual,
  tryQuantity,
  validateObjectMetaUpdate,
} from '@kubernel/sdk/api';
import { podQosClass } from '../pod-qos.ts';
import { checkPodMetaAndSpec } from './pod.ts';
import { checkPodAnnotationUpdates, isMirrorPod } from './pod-annotations.ts';

/** Updates of a pod through its subresources: status, ephemeral containers, resize. */

const METADATA = FieldPath.of('metadata');
const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const WHOLE = FieldPath.of('');

export function checkPodStatus(pod: Decoded, old: Decoded, errors: FieldErrors): void {
  validateObjectMetaUpdate(pod.metadata, old.metadata, errors, { kubeFinalizers: true });
  checkPodAnnotationUpdates(pod, old, METADATA.child('annotations'), errors);
  const status: Decoded = pod.status ?? {};
  const before: Decoded = old.status ?? {};
  (status.conditions ?? []).forEach(({ type = '' }: Decoded, i: number) => {
    if (['PodScheduled', 'Ready', 'Initialized'].includes(type)) return;
    checkQualifiedName(type, METADATA.child('conditions').index(i).child('Type'), errors);
  });
  const nominated = status.nominatedNodeName;
  if (nominated && nominated !== before.nominatedNodeName) {
    errors.invalidEach(STATUS.child('nominatedNodeName'), nominated, nameIsDNSSubdomain(nominated, false));
  }
  if ((status.qosClass ?? '') !== (before.qosClass ?? ''))
    errors.invalid(STATUS.child('qosClass'), status.qosClass ?? '', 'field is immutable');
  checkTransitions(status, before, old.spec ?? {}, errors);
  checkClaimStatuses(status.resourceClaimStatuses ?? [], pod.spec?.resourceClaims ?? [], errors);
  checkAddresses(status.podIPs ?? [], 'podIPs', errors);
  const hostIPs: Decoded[] = status.hostIPs ?? [];
  if (hostIPs.length && (status.hostIP ?? '') !== (hostIPs[0]?.ip ?? '')) {
    errors.invalid(STATUS.child('hostIPs').index(0).child('ip'), hostIPs[0]?.ip ?? '', 'must be equal to `hostIP`');
  }
  checkAddresses(hostIPs, 'hostIPs', errors);
}

/** A terminated container stays so, unless its restart policy says otherwise. */
function checkTransitions(status: Decoded, before: Decoded, spec: Decoded, errors: FieldErrors): void {
  const restartable = new Set<string>(
    (spec.initContainers ?? []).filter(({ restartPolicy }: Decoded) => restartPolicy === 'Always').map(({ name }: Decoded) => name),
  );
  const ownPolicy = new Map<string, Decoded>(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container: Decoded) => [container.name, container]),
  );
  for (const field of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    const policy = field === 'ephemeralContainerStatuses' ? 'Never' : spec.restartPolicy;
    if (policy === 'Always') continue;
    (before[field] ?? []).forEach((then: Decoded, i: number) => {
      const terminated = then.state?.terminated;
      if (!terminated || ((terminated.exitCode ?? 0) !== 0 && policy === 'OnFailure')) return;
      if (field === 'initContainerStatuses' && restartable.has(then.name)) return;
      const container = ownPolicy.get(then.name);
      if (container && (container.restartPolicy === 'Always' || container.restartPolicyRules?.length)) return;
      const now = (status[field] ?? []).find(({ name }: Decoded) => name === then.name);
      if (now && !now.state?.terminated)
        errors.forbidden(STATUS.child(field).index(i).child('state'), 'may not be transitioned to non-terminated state');
    });
  }
}

function checkClaimStatuses(statuses: readonly Decoded[], claims: readonly Decoded[], errors: FieldErrors): void {
  const seen = new Set<string>();
  statuses.forEach(({ name = '', resourceClaimName }, i) => {
    const at = STATUS.child('resourceClaimStatuses').index(i).child('name');
    if (!claims.some((claim) => claim.name === name)) errors.invalid(at, name, 'must match the name of an entry in `spec.resourceClaims`');
    if (seen.has(name)) errors.duplicate(at, name);
    seen.add(name);
    if (resourceClaimName !== undefined) errors.invalidEach(at, resourceClaimName, nameIsDNSSubdomain(resourceClaimName, false));
  });
}

function checkAddresses(addresses: readonly Decoded[], field: 'podIPs' | 'hostIPs', errors: FieldErrors): void {
  const at = STATUS.child(field);
  addresses.forEach(({ ip = '' }, i) => {
    errors.invalidEach(at.index(i), ip, legacyAddressMessages(ip));
  });
  if (addresses.length < 2) return;
  const families = new Set(addresses.map(({ ip = '' }) => parseAddress(ip)?.family));
  const printed = addresses.map(({ ip = '' }) => ({ IP: ip }));
  if (families.size < 2 || addresses.length > 2) errors.invalid(at, printed, 'may specify no more than one IP for each IP family');
  addresses.forEach(({ ip }, i) => {
    if (addresses.findIndex((other) => other.ip === ip) < i) errors.duplicate(at.index(i), printed[i]);
  });
}

export function checkEphemeralContainersUpdate(pod: Decoded, old: Decoded, errors: FieldErrors): void {
  if (isMirrorPod(old)) {
    errors.forbidden(WHOLE, 'static pods do not support ephemeral containers');
    return;
  }
  validateObjectMetaUpdate(pod.metadata, old.metadata, errors, { kubeFinalizers: true });
  checkPodMetaAndSpec(pod, errors);
  checkPodAnnotationUpdates(pod, old, METADATA.child('annotations'), errors);
  const at = SPEC.child('ephemeralContainers');
  const now = new Map<string, Decoded>((pod.spec?.ephemeralContainers ?? []).map((container: Decoded) => [container.name, container]));
  for (const then of old.spec?.ephemeralContainers ?? []) {
    const current = now.get(then.name);
    if (!current) errors.forbidden(at, `existing ephemeral containers "${then.name}" may not be removed\n`);
    else if (!semanticEqual(then, current)) {
      errors.forbidden(
        at,
        `existing ephemeral containers "${then.name}" may not be changed\n- ${JSON.stringify(then)}\n+ ${JSON.stringify(current)}\n`,
      );
    }
  }
}

/** In-place resize (KEP-1287): cpu and memory of containers and sidecars, within the pod's class of service. */
export function checkPodResize(pod: Decoded, old: Decoded, errors: FieldErrors): void {
  if (isMirrorPod(old)) {
    errors.forbidden(WHOLE, 'static pods cannot be resized');
    return;
  }
  if (old.spec?.os?.name === 'windows') {
    errors.forbidden(WHOLE, 'windows pods cannot be resized');
    return;
  }
  for (const [list, what] of [
    ['containers', 'containers'],
    ['initContainers', 'initContainers'],
  ] as const) {
    if ((pod.spec?.[list] ?? []).length === (old.spec?.[list] ?? []).length) continue;
    errors.forbidden(SPEC.child(list), `${what} may not be added or removed on resize`);
    return;
  }
  validateObjectMetaUpdate(pod.metadata, old.metadata, errors, { kubeFinalizers: true });
  checkPodMetaAndSpec(pod, errors);
  if ((old.status?.qosClass ?? podQosClass(old.spec ?? {})) !== podQosClass(pod.spec ?? {})) {
    errors.invalid(SPEC, pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing');
  }
  const running = (old.status?.containerStatuses ?? []).find((status: Decoded) => status.state?.running);
  if (running && !running.resources) errors.forbidden(SPEC, 'Pod running on node without support for resize');
  const sidecars: readonly boolean[] = (old.spec?.initContainers ?? []).map((container: Decoded) => container.restartPolicy === 'Always');
  for (const list of ['initContainers', 'containers'] as const) {
    (old.spec?.[list] ?? []).forEach((then: Decoded, i: number) => {
      if (list === 'initContainers' && !sidecars[i]) return;
      checkRemoved(pod.spec?.[list]?.[i]?.resources ?? {}, then.resources ?? {}, SPEC.child(list).index(i).child('resources'), errors);
    });
  }
  checkOnlyComputeChanged(pod, old, errors, sidecars);
}

function checkRemoved(now: Decoded, then: Decoded, path: FieldPath, errors: FieldErrors): void {
  for (const [field, what] of [
    ['requests', 'resource requests'],
    ['limits', 'resource limits'],
  ] as const) {
    const gone = Object.keys(then[field] ?? {}).some((name) => now[field]?.[name] === undefined);
    if (gone) errors.forbidden(path.child(field), `${what} cannot be removed`);
  }
}

function withoutCompute(container: Decoded, old: Decoded): Decoded {
  const keep = (field: 'requests' | 'limits'): Decoded => {
    const amounts: Decoded = { ...(container.resources?.[field] ?? {}) };
    for (const name of ['cpu', 'memory']) {
      const then = old.resources?.[field]?.[name];
      if (then === undefined) delete amounts[name];
      else amounts[name] = then;
    }
    return amounts;
  };
  return { ...container, resources: { ...container.resources, requests: keep('requests'), limits: keep('limits') } };
}

function checkOnlyComputeChanged(pod: Decoded, old: Decoded, errors: FieldErrors, sidecars: readonly boolean[]): void {
  (pod.spec?.containers ?? []).forEach((container: Decoded, i: number) => {
    const then = old.spec?.containers?.[i] ?? {};
    if (!sameContainer(withoutCompute(container, then), then)) errors.forbidden(SPEC, 'only cpu and memory resources are mutable');
  });
  (pod.spec?.initContainers ?? []).forEach((container: Decoded, i: number) => {
    const then = old.spec?.initContainers?.[i] ?? {};
    if (sidecars[i]) {
      if (!sameContainer(withoutCompute(container, then), then))
        errors.forbidden(SPEC, 'only cpu and memory resources for sidecar containers are mutable');
    } else if (!sameContainer(container, then)) {
      errors.forbidden(SPEC, 'resources for non-sidecar init containers are immutable');
    }
  });
}

/** resizePolicy may be set along with the resources. */
function sameContainer(a: Decoded, b: Decoded): boolean {
  const plain = (container: Decoded): Decoded => ({
    ...container,
    resources: { ...container.resources, ...amountsOf(container.resources ?? {}) },
  });
  return semanticEqual(plain(a), plain(b));
}

function amountsOf(resources: Decoded): Decoded {
  const canonical = (amounts: Decoded | undefined): Decoded =>
    Object.fromEntries(Object.entries(amounts ?? {}).map(([name, amount]) => [name, tryQuantity(amount)?.toString() ?? amount]));
  return { requests: canonical(resources.requests), limits: canonical(resources.limits) };
}

import { semanticEqual } from './equality.ts';
import { FieldPath } from './field-errors.ts';
import { dns1123Label } from './names.ts';
import type { Decoded } from './object.ts';
import { tryQuantity } from './quantity.ts';

/** What is allowed in a pod but most likely not meant; clients show these texts to people. */

const NAME_ADVICE = 'which can result in surprising behavior; a DNS label is recommended';

/** `use` is what a name that is no DNS label will be: `used in Pod names and hostnames`. */
export function nameWarnings(name: string | undefined, use: string): string[] {
  const messages = dns1123Label(name ?? '');
  return messages.length ? [`metadata.name: this is ${use}, ${NAME_ADVICE}: [${messages.join(' ')}]`] : [];
}

/** Of a pod's annotations: upstream says this before it checks the pod. */
export function podAnnotationWarnings(pod: Decoded): string[] {
  const warnings: string[] = [];
  annotationWarnings(
    pod.spec ?? {},
    pod.metadata?.annotations ?? {},
    FieldPath.of('metadata', 'annotations'),
    (at, text) => void warnings.push(`${at}: ${text}`),
  );
  return warnings;
}

/** Nothing for pods that only change. */
export function podWarnings(pod: Decoded, old: Decoded | undefined): string[] {
  if (old) return [];
  return [
    ...nameWarnings(pod.metadata?.name, "used in the Pod's hostname"),
    ...specWarnings(pod.spec ?? {}, pod.metadata?.annotations ?? {}, FieldPath.of()),
  ];
}

/** The same for the pod template at `path`; nothing for one that stays as it is. */
export function templateWarnings(template: Decoded | undefined, path: FieldPath, old: Decoded | undefined): string[] {
  if (!template || (old && semanticEqual(template, old))) return [];
  return specWarnings(template.spec ?? {}, template.metadata?.annotations ?? {}, path);
}

/** For objects that make pods from `spec.template` and give them names of their own. */
export function workloadWarnings(object: Decoded, old: Decoded | undefined): string[] {
  const name = old ? [] : nameWarnings(object.metadata?.name, 'used in Pod names and hostnames');
  return [...name, ...templateWarnings(object.spec?.template, FieldPath.of('spec', 'template'), old?.spec?.template)];
}

function eachContainer(spec: Decoded, path: FieldPath, visit: (container: Decoded, path: FieldPath) => void): void {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    (spec[list] ?? []).forEach((container: Decoded, i: number) => {
      visit(container, path.child(list).index(i));
    });
  }
}

function specWarnings(spec: Decoded, annotations: Readonly<Record<string, string>>, root: FieldPath): string[] {
  const path = root.child('spec');
  const warnings: string[] = [];
  const warn = (at: FieldPath, text: string): void => void warnings.push(`${at}: ${text}`);
  deprecatedSelectors(spec, path, warn);
  (spec.topologySpreadConstraints ?? []).forEach(({ labelSelector }: Decoded, i: number) => {
    if (!labelSelector) warn(path.child('topologySpreadConstraints').index(i).child('labelSelector'), NO_POD);
  });
  if (annotations[SECCOMP] !== undefined)
    warn(root.child('metadata', 'annotations').key(SECCOMP), 'non-functional in v1.27+; use the "seccompProfile" field instead');
  if (root.toString()) annotationWarnings(spec, annotations, root.child('metadata', 'annotations'), warn);
  (spec.volumes ?? []).forEach((volume: Decoded, i: number) => {
    volumeWarnings(volume, path.child('volumes').index(i), warn);
    for (const source of volume.projected?.sources ?? [])
      if (Object.keys(source).length === 0) warnings.push(`volume "${volume.name}" (Projected) has no sources provided`);
  });
  duplicateNames(spec.imagePullSecrets ?? [], path.child('imagePullSecrets'), warn, 'invalid empty name ""');
  const addresses = new Set<string>();
  (spec.hostAliases ?? []).forEach(({ ip = '' }: Decoded, i: number) => {
    if (addresses.has(ip)) warn(path.child('hostAliases').index(i).child('ip'), `duplicate ip "${ip}"`);
    addresses.add(ip);
  });
  fractions(spec.overhead, path.child('overhead'), warn);
  eachContainer(spec, path, (container, at) => containerWarnings(container, at, warn));
  portClashes(spec, path, warn);
  if (spec.terminationGracePeriodSeconds < 0) {
    warn(path.child('terminationGracePeriodSeconds'), 'must be >= 0; negative values are invalid and will be treated as 1');
  }
  affinityWarnings(spec.affinity ?? {}, path.child('affinity'), warn);
  return warnings;
}

type Warn = (at: FieldPath, text: string) => void;

const NO_POD = 'a null labelSelector results in matching no pod';

function affinityWarnings(affinity: Decoded, path: FieldPath, warn: Warn): void {
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred } =
      affinity[kind] ?? {};
    const at = path.child(kind);
    (required ?? []).forEach(({ labelSelector }: Decoded, i: number) => {
      if (!labelSelector) warn(at.child('requiredDuringSchedulingIgnoredDuringExecution').index(i).child('labelSelector'), NO_POD);
    });
    (preferred ?? []).forEach(({ podAffinityTerm }: Decoded, i: number) => {
      if (!podAffinityTerm?.labelSelector)
        warn(at.child('preferredDuringSchedulingIgnoredDuringExecution').index(i).child('podAffinityTerm', 'labelSelector'), NO_POD);
    });
  }
}

const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** Security profiles are fields now; an annotation says nothing where the field is set. */
function annotationWarnings(spec: Decoded, annotations: Readonly<Record<string, string>>, path: FieldPath, warn: Warn): void {
  eachContainer(spec, path, (container) => {
    const key = `${APPARMOR}${container.name ?? ''}`;
    if (annotations[key] === undefined || container.securityContext?.appArmorProfile || spec.securityContext?.appArmorProfile) return;
    warn(path.key(key), 'deprecated since v1.30; use the "appArmorProfile" field instead');
  });
}

const OLD_NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

function deprecatedSelectors(spec: Decoded, path: FieldPath, warn: Warn): void {
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const text = OLD_NODE_LABELS[key];
    if (text) warn(path.child('nodeSelector').key(key), text);
  }
}

const DEPRECATED_VOLUMES: Readonly<Record<string, string>> = {
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
};

function volumeWarnings(volume: Decoded, path: FieldPath, warn: Warn): void {
  for (const [kind, text] of Object.entries(DEPRECATED_VOLUMES)) if (volume[kind]) warn(path.child(kind), text);
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (template)
    fractions(template.spec?.resources?.requests, path.child('ephemeral', 'volumeClaimTemplate', 'spec', 'resources', 'requests'), warn);
}

function duplicateNames(items: readonly Decoded[], path: FieldPath, warn: Warn, empty: string): void {
  const seen = new Set<string>();
  items.forEach(({ name = '' }, i) => {
    if (name === '') warn(path.index(i).child('name'), empty);
    else if (seen.has(name)) warn(path.index(i).child('name'), `duplicate name "${name}"`);
    seen.add(name);
  });
}

function fractions(amounts: Record<string, unknown> | undefined, path: FieldPath, warn: Warn): void {
  for (const name of ['memory', 'ephemeral-storage', 'storage']) {
    const quantity = tryQuantity(amounts?.[name]);
    if (quantity && quantity.millis() % 1000 !== 0)
      warn(path.key(name), `fractional byte value "${quantity}" is invalid, must be an integer`);
  }
}

function containerWarnings(container: Decoded, path: FieldPath, warn: Warn): void {
  fractions(container.resources?.limits, path.child('resources', 'limits'), warn);
  fractions(container.resources?.requests, path.child('resources', 'requests'), warn);
  const seen = new Set<string>();
  (container.env ?? []).forEach(({ name = '', value = '' }: Decoded, i: number) => {
    if (seen.has(name) && !value.includes(`$(${name})`)) {
      warn(path.child('env').index(i), `hides previous definition of "${name}", which may be dropped when using apply`);
    }
    seen.add(name);
  });
}

/** Two definitions of the same port, in one container or in two. */
function portClashes(spec: Decoded, path: FieldPath, warn: Warn): void {
  const seen: { container: number; port: Decoded; at: FieldPath }[] = [];
  (spec.containers ?? []).forEach((container: Decoded, c: number) => {
    (container.ports ?? []).forEach((port: Decoded, i: number) => {
      const at = path.child('containers').index(c).child('ports').index(i);
      const twin = seen.find(
        ({ port: other }) =>
          other.containerPort === port.containerPort &&
          other.protocol === port.protocol &&
          (other.hostPort ?? 0) === (port.hostPort ?? 0) &&
          (other.hostIP ?? '') === (port.hostIP ?? ''),
      );
      if (twin) warn(at, `duplicate port definition with ${twin.at}`);
      seen.push({ container: c, port, at });
    });
  });
}

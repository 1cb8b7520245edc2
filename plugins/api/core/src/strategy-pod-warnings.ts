import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { FieldPath, tryQuantity } from '@kubernel/sdk/api';
import { eachContainer } from './validation/container-visit.ts';

/** What is allowed in a pod but most likely not meant; clients show these texts to people. */

export function podWarnings(pod: KubeObject, old: KubeObject | undefined): string[] {
  return templateWarnings((pod.spec ?? {}) as Decoded, (pod.metadata.annotations ?? {}) as Record<string, string>, FieldPath.of('spec'), old);
}

/** The same for a pod template, whose `spec` stands at `path`. Nothing for objects that only change. */
export function templateWarnings(spec: Decoded, annotations: Record<string, string>, path: FieldPath, old: unknown): string[] {
  const warnings: string[] = [];
  const warn = (at: FieldPath, text: string): void => void warnings.push(`${at}: ${text}`);
  void annotations;
  deprecatedSelectors(spec, path, warn);
  (spec.volumes ?? []).forEach((volume: Decoded, i: number) => volumeWarnings(volume, path.child('volumes').index(i), warn));
  duplicateNames(spec.imagePullSecrets ?? [], path.child('imagePullSecrets'), warn, 'invalid empty name ""');
  const addresses = new Set<string>();
  (spec.hostAliases ?? []).forEach(({ ip = '' }: Decoded, i: number) => {
    if (addresses.has(ip)) warn(path.child('hostAliases').index(i).child('ip'), `duplicate ip "${ip}"`);
    addresses.add(ip);
  });
  fractions(spec.overhead, path.child('overhead'), warn);
  eachContainer(spec, path, (container, at) => containerWarnings(container, at, warn));
  portClashes(spec, path, warn);
  if (spec.terminationGracePeriodSeconds < 0 && old === undefined) {
    warn(path.child('terminationGracePeriodSeconds'), 'must be >= 0; negative values are invalid and will be treated as 1');
  }
  return warnings;
}

type Warn = (at: FieldPath, text: string) => void;

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
  if (template) fractions(template.spec?.resources?.requests, path.child('ephemeral', 'volumeClaimTemplate', 'spec', 'resources', 'requests'), warn);
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
    if (quantity && quantity.millis() % 1000 !== 0) warn(path.key(name), `fractional byte value "${quantity}" is invalid, must be an integer`);
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
        ({ port: other }) => other.containerPort === port.containerPort && other.protocol === port.protocol && (other.hostPort ?? 0) === (port.hostPort ?? 0) && (other.hostIP ?? '') === (port.hostIP ?? ''),
      );
      if (twin) warn(at, `duplicate port definition with ${twin.at}`);
      seen.push({ container: c, port, at });
    });
  });
}

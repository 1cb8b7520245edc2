import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { FieldErrors } from '@kubernel/sdk/api';
import type { Level, Standard } from './checks.ts';
import { printStandard, violationsOf } from './checks.ts';
import type { PodLike } from './pod.ts';
import { containersOf } from './pod.ts';
import type { Policy } from './policy.ts';
import { isTightened, policyOf } from './policy.ts';
import { sentence } from './wording.ts';

export interface PodSecurityConfig {
  /** For namespaces without labels. Default: privileged. */
  defaults?: Partial<Record<'enforce' | 'audit' | 'warn', Level>>;
  /** Namespaces, users and runtime classes that are not looked at. */
  exemptions?: { namespaces?: string[]; usernames?: string[]; runtimeClasses?: string[] };
}

/** Where each kind with a pod template keeps it. */
const TEMPLATES: Readonly<Record<string, (object: KubeObject) => PodLike | undefined>> = {
  '/podtemplates': (object) => object.template as PodLike,
  '/replicationcontrollers': inSpec,
  'apps/replicasets': inSpec,
  'apps/deployments': inSpec,
  'apps/statefulsets': inSpec,
  'apps/daemonsets': inSpec,
  'batch/jobs': inSpec,
  'batch/cronjobs': (object) =>
    (object.spec as { jobTemplate?: { spec?: { template?: PodLike } } } | undefined)?.jobTemplate?.spec?.template,
};

function inSpec(object: KubeObject): PodLike | undefined {
  return (object.spec as { template?: PodLike } | undefined)?.template;
}

/** https://kubernetes.io/docs/concepts/security/pod-security-admission/ (KEP-2579) */
export function podSecurity(config: PodSecurityConfig = {}): Admission {
  let reader: ApiReader;
  const standard = (level: Level = 'privileged'): Standard => ({ level, minor: Infinity });
  const defaults: Policy = {
    enforce: standard(config.defaults?.enforce),
    audit: standard(config.defaults?.audit),
    warn: standard(config.defaults?.warn),
  };
  const { namespaces = [], usernames = [], runtimeClasses = [] } = config.exemptions ?? {};

  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles(operation, group, resource, subresource) {
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false;
      if (group === '' && resource === 'pods')
        return subresource === '' || (operation === 'UPDATE' && subresource === 'ephemeralcontainers');
      return subresource === '' && ((group === '' && resource === 'namespaces') || `${group}/${resource}` in TEMPLATES);
    },
    validate(attributes) {
      if (attributes.resource === 'namespaces') return checkNamespace(attributes, reader, defaults, namespaces);
      if (namespaces.includes(attributes.namespace) || usernames.includes(attributes.user.name)) return;
      const policy = policyOf(reader.get('', 'namespaces', '', attributes.namespace)?.metadata.labels, defaults);
      const isPod = attributes.resource === 'pods';
      const pod = isPod
        ? (attributes.object as PodLike)
        : TEMPLATES[`${attributes.group}/${attributes.resource}`]?.(attributes.object as KubeObject);
      if (!pod) return;
      const runtimeClass = (pod.spec as { runtimeClassName?: string } | undefined)?.runtimeClassName;
      if (runtimeClass && runtimeClasses.includes(runtimeClass)) return;
      if (isPod && attributes.operation === 'UPDATE' && !isSignificant(pod, attributes.oldObject as PodLike)) return;
      judge(attributes, pod, policy, isPod);
    },
  };
}

/** Pods are refused; what makes pods is only warned of, so that its own author learns of it. */
function judge(attributes: AdmissionAttributes, pod: PodLike, policy: Policy, enforce: boolean): void {
  const violations = enforce ? violationsOf(pod, policy.enforce) : [];
  if (enforce) attributes.annotate('pod-security.kubernetes.io/enforce-policy', printStandard(policy.enforce));
  const audited = violationsOf(pod, policy.audit);
  if (audited.length > 0)
    attributes.annotate(
      'pod-security.kubernetes.io/audit-violations',
      `would violate PodSecurity ${JSON.stringify(printStandard(policy.audit))}: ${sentence(audited)}`,
    );
  if (violations.length > 0)
    throw admissionDenied(attributes, `violates PodSecurity ${JSON.stringify(printStandard(policy.enforce))}: ${sentence(violations)}`);
  const warned = violationsOf(pod, policy.warn);
  if (warned.length > 0) attributes.warn(`would violate PodSecurity ${JSON.stringify(printStandard(policy.warn))}: ${sentence(warned)}`);
}

/** Metadata, tolerations and the like change nothing; images and new containers may. */
function isSignificant(pod: PodLike, old: PodLike): boolean {
  const [now, before] = [containersOf(pod.spec ?? {}), containersOf(old.spec ?? {})];
  return (
    now.length !== before.length || now.some(({ image, name }, index) => image !== before[index]?.image || name !== before[index]?.name)
  );
}

/** How many pods of a namespace are looked at when its level is raised: it is a courtesy, not a guarantee. */
const MAX_PODS = 3_000;

function checkNamespace(attributes: AdmissionAttributes, reader: ApiReader, defaults: Policy, exempt: readonly string[]): void {
  const { object, oldObject } = attributes;
  const errors = new FieldErrors();
  const after = policyOf(object?.metadata.labels, defaults, errors).enforce;
  const oldErrors = new FieldErrors();
  const before = policyOf(oldObject?.metadata.labels, defaults, oldErrors).enforce;
  // A namespace that was labelled badly before may still be changed otherwise.
  if (!errors.empty && (!oldObject || oldErrors.empty)) throw errors.toStatusError('Namespace', '', object?.metadata.name ?? '');
  const name = object?.metadata.name ?? '';
  if (!oldObject || exempt.includes(name) || !isTightened(before, after)) return;
  const groups = new Map<string, string[]>();
  for (const pod of reader.list('', 'pods', name).slice(0, MAX_PODS)) {
    const violations = violationsOf(pod as PodLike, after);
    if (violations.length === 0) continue;
    const reasons = violations.map(({ reason }) => reason).join(', ');
    groups.set(reasons, [...(groups.get(reasons) ?? []), pod.metadata.name ?? '']);
  }
  if (groups.size === 0) return;
  attributes.warn(
    `existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level ${JSON.stringify(printStandard(after))}`,
  );
  const lines = [...groups].map(([reasons, pods]) => {
    const [first = '', ...others] = pods.sort();
    const more = others.length > 0 ? ` (and ${others.length} other pod${others.length === 1 ? '' : 's'})` : '';
    return `${first}${more}: ${reasons}`;
  });
  for (const line of lines.sort()) attributes.warn(line);
}

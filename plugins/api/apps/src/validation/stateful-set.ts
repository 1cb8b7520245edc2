import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkDnsLabel,
  checkNonNegative,
  FieldPath,
  goJson,
  PrintedValue,
  semanticEqual,
  validateAnnotations,
  validateLabels,
} from '@kubernel/sdk/api';
import { checkCollisions } from './deployment.ts';
import { checkAtMostAll, checkNumberOrPercent, checkWorkloadSelector, isZeroShare, labelsOf, NO_MATCH } from './selectors.ts';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const RETENTION = ['Retain', 'Delete'];

export function checkStatefulSet(set: Decoded, errors: FieldErrors, context: ValidationContext, isNew: boolean): void {
  const spec: Decoded = set.spec ?? {};
  const policy = spec.podManagementPolicy ?? '';
  const at = SPEC.child('podManagementPolicy');
  if (!policy) errors.required(at);
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') errors.invalid(at, policy, "must be 'OrderedReady' or 'Parallel'");
  checkUpdateStrategy(spec.updateStrategy ?? {}, SPEC.child('updateStrategy'), errors);
  checkRetention(spec.persistentVolumeClaimRetentionPolicy, SPEC.child('persistentVolumeClaimRetentionPolicy'), errors);
  checkNonNegative(spec.replicas, SPEC.child('replicas'), errors);
  checkNonNegative(spec.minReadySeconds, SPEC.child('minReadySeconds'), errors);
  if (spec.ordinals) checkNonNegative(spec.ordinals.start, SPEC.child('ordinals', 'start'), errors);
  if (isNew && spec.serviceName) checkDnsLabel(spec.serviceName, SPEC.child('serviceName'), errors);
  const selector = checkWorkloadSelector(spec.selector, SPEC.child('selector'), errors, 'statefulset');
  if (selector) checkTemplate(spec, errors, context, selector.empty || selector.matches(labelsOf(spec.template)));
  else errors.invalid(SPEC.child('selector'), spec.selector, '');
  const pod: Decoded = spec.template?.spec ?? {};
  if (pod.restartPolicy !== 'Always')
    errors.notSupported(SPEC.child('template', 'spec', 'restartPolicy'), pod.restartPolicy ?? '', ['Always']);
  if (pod.activeDeadlineSeconds !== undefined) {
    errors.forbidden(SPEC.child('template', 'spec', 'activeDeadlineSeconds'), 'activeDeadlineSeconds in StatefulSet is not Supported');
  }
  (spec.volumeClaimTemplates ?? []).forEach((claim: Decoded, i: number) => {
    context.validate(
      'core.v1.PersistentVolumeClaimSpec',
      claim.spec ?? {},
      SPEC.child('volumeClaimTemplates').index(i).child('spec'),
      errors,
    );
  });
}

/** Pods get a volume for each claim template, in place of their own of that name. */
function checkTemplate(spec: Decoded, errors: FieldErrors, context: ValidationContext, matches: boolean): void {
  const template: Decoded = spec.template ?? {};
  const at = SPEC.child('template');
  if (!matches) errors.invalid(at.child('metadata', 'labels'), labelsOf(template), NO_MATCH);
  validateLabels(labelsOf(template), at.child('labels'), errors);
  validateAnnotations(template.metadata?.annotations, at.child('annotations'), errors);
  const claims: Decoded[] = (spec.volumeClaimTemplates ?? []).map(({ metadata = {} }: Decoded) => ({
    name: metadata.name ?? '',
    persistentVolumeClaim: { claimName: metadata.name ?? '' },
  }));
  const names = new Set(claims.map(({ name }) => name));
  const own = (template.spec?.volumes ?? []).filter(({ name = '' }: Decoded) => !names.has(name));
  const pod = claims.length ? { ...template.spec, volumes: [...own, ...claims] } : template.spec;
  context.validate('core.v1.PodTemplateSpec', { ...template, spec: pod ?? {} }, at, errors);
}

function checkUpdateStrategy(strategy: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { type = '', rollingUpdate } = strategy;
  const at = path.child('rollingUpdate');
  const printed = rollingUpdate ? { Partition: rollingUpdate.partition ?? 0, MaxUnavailable: rollingUpdate.maxUnavailable ?? null } : null;
  if (!type) {
    errors.required(path);
  } else if (type === 'OnDelete') {
    if (rollingUpdate) errors.invalid(at, new PrintedValue(goJson(printed)), "only allowed for updateStrategy 'RollingUpdate'");
  } else if (type !== 'RollingUpdate') {
    errors.invalid(path, new PrintedValue(goJson({ Type: type, RollingUpdate: printed })), "must be 'RollingUpdate' or 'OnDelete'");
  } else if (rollingUpdate) {
    checkNonNegative(rollingUpdate.partition, at.child('partition'), errors);
    const most = rollingUpdate.maxUnavailable;
    if (most === undefined) return;
    checkNumberOrPercent(most, at.child('maxUnavailable'), errors);
    if (isZeroShare(most)) errors.invalid(at.child('maxUnavailable'), most, 'cannot be 0');
    checkAtMostAll(most, at.child('maxUnavailable'), errors);
  }
}

function checkRetention(policy: Decoded | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!policy) return;
  for (const field of ['whenDeleted', 'whenScaled']) {
    const value = policy[field] ?? '';
    if (!value) errors.required(path.child(field));
    else if (!RETENTION.includes(value)) errors.notSupported(path.child(field), value, RETENTION);
  }
}

const MUTABLE = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
];

export function checkStatefulSetUpdate(set: Decoded, old: Decoded, errors: FieldErrors): void {
  const fixed = (spec: Decoded): Decoded => Object.fromEntries(Object.entries(spec).filter(([field]) => !MUTABLE.includes(field)));
  if (semanticEqual(fixed(set.spec ?? {}), fixed(old.spec ?? {}))) return;
  errors.forbidden(
    SPEC,
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  );
}

export function checkStatefulSetStatus(status: Decoded, before: Decoded, errors: FieldErrors): void {
  const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'];
  for (const field of ['replicas', ...parts, 'observedGeneration', 'collisionCount'])
    checkNonNegative(status[field], STATUS.child(field), errors);
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of parts)
    if ((status[field] ?? 0) > replicas) errors.invalid(STATUS.child(field), status[field], 'cannot be greater than status.replicas');
  if (availableReplicas > readyReplicas)
    errors.invalid(STATUS.child('availableReplicas'), availableReplicas, 'cannot be greater than status.readyReplicas');
  checkCollisions(status, before, errors);
}

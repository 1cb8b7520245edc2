import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors, Selector } from '@kubernel/sdk/api';
import { checkNonNegative, FieldPath, goJson, PrintedValue } from '@kubernel/sdk/api';
import { checkAtMostAll, checkNumberOrPercent, checkWorkloadSelector, isZeroShare, labelsOf, NO_MATCH } from './selectors.ts';

/** Deployments and replica sets, which share the rules of their templates. */

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');

/** `owner` names the kind in messages. */
function checkTemplate(
  spec: Decoded,
  selector: Selector | undefined,
  errors: FieldErrors,
  context: ValidationContext,
  owner: string,
): void {
  const at = SPEC.child('template');
  if (!selector) {
    errors.invalid(SPEC.child('selector'), spec.selector, 'invalid label selector');
    return;
  }
  const template: Decoded = spec.template ?? {};
  if (!selector.empty && !selector.matches(labelsOf(template)))
    errors.invalid(at.child('metadata', 'labels'), labelsOf(template), NO_MATCH);
  context.validate('core.v1.PodTemplateSpec', template, at, errors);
  if (template.spec?.restartPolicy !== 'Always')
    errors.notSupported(at.child('spec', 'restartPolicy'), template.spec?.restartPolicy ?? '', ['Always']);
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.forbidden(at.child('spec', 'activeDeadlineSeconds'), `activeDeadlineSeconds in ${owner} is not Supported`);
  }
}

export function checkDeployment(deployment: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const spec: Decoded = deployment.spec ?? {};
  checkNonNegative(spec.replicas, SPEC.child('replicas'), errors);
  const selector = checkWorkloadSelector(spec.selector, SPEC.child('selector'), errors, 'deployment');
  checkTemplate(spec, selector, errors, context, 'ReplicaSet');
  checkStrategy(spec.strategy ?? {}, SPEC.child('strategy'), errors);
  checkNonNegative(spec.minReadySeconds, SPEC.child('minReadySeconds'), errors);
  checkNonNegative(spec.revisionHistoryLimit, SPEC.child('revisionHistoryLimit'), errors);
  if (spec.rollbackTo) checkNonNegative(spec.rollbackTo.revision, SPEC.child('rollback', 'revision'), errors);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline === undefined) return;
  checkNonNegative(deadline, SPEC.child('progressDeadlineSeconds'), errors);
  if (deadline <= (spec.minReadySeconds ?? 0))
    errors.invalid(SPEC.child('progressDeadlineSeconds'), deadline, 'must be greater than minReadySeconds');
}

function checkStrategy(strategy: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { type = '', rollingUpdate } = strategy;
  const at = path.child('rollingUpdate');
  if (type === 'Recreate') {
    if (rollingUpdate) errors.forbidden(at, "may not be specified when strategy `type` is 'Recreate'");
  } else if (type === 'RollingUpdate') {
    if (!rollingUpdate) {
      errors.required(at, 'this should be defaulted and never be nil');
      return;
    }
    const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
    checkNumberOrPercent(maxUnavailable, at.child('maxUnavailable'), errors);
    checkNumberOrPercent(maxSurge, at.child('maxSurge'), errors);
    if (isZeroShare(maxUnavailable) && isZeroShare(maxSurge)) {
      errors.invalid(at.child('maxUnavailable'), maxUnavailable, 'may not be 0 when `maxSurge` is 0');
    }
    checkAtMostAll(maxUnavailable, at.child('maxUnavailable'), errors);
  } else {
    const printed = goJson({
      Type: type,
      RollingUpdate: rollingUpdate ? { MaxUnavailable: rollingUpdate.maxUnavailable ?? 0, MaxSurge: rollingUpdate.maxSurge ?? 0 } : null,
    });
    errors.notSupported(path, new PrintedValue(printed), ['Recreate', 'RollingUpdate']);
  }
}

export function checkReplicaSet(set: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const spec: Decoded = set.spec ?? {};
  checkNonNegative(spec.replicas, SPEC.child('replicas'), errors);
  checkNonNegative(spec.minReadySeconds, SPEC.child('minReadySeconds'), errors);
  const selector = checkWorkloadSelector(spec.selector, SPEC.child('selector'), errors, 'deployment');
  checkTemplate(spec, selector, errors, context, 'ReplicaSet');
}

/** Counts that may not be negative, and not exceed the counts they are part of. */
export function checkDeploymentStatus(status: Decoded, before: Decoded, errors: FieldErrors): void {
  for (const field of [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'terminatingReplicas',
    'collisionCount',
  ]) {
    checkNonNegative(status[field], STATUS.child(field), errors);
  }
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of ['updatedReplicas', 'readyReplicas', 'availableReplicas']) {
    if ((status[field] ?? 0) > replicas) errors.invalid(STATUS.child(field), status[field] ?? 0, 'cannot be greater than status.replicas');
  }
  if (availableReplicas > readyReplicas)
    errors.invalid(STATUS.child('availableReplicas'), availableReplicas, 'cannot be greater than readyReplicas');
  checkCollisions(status, before, errors);
}

export function checkCollisions(status: Decoded, before: Decoded, errors: FieldErrors): void {
  if (before.collisionCount !== undefined && (status.collisionCount ?? -1) < before.collisionCount) {
    errors.invalid(STATUS.child('collisionCount'), status.collisionCount ?? 0, 'cannot be decremented');
  }
}

export function checkReplicaSetStatus(status: Decoded, errors: FieldErrors): void {
  const parts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];
  for (const field of ['replicas', ...parts, 'observedGeneration', 'terminatingReplicas'])
    checkNonNegative(status[field], STATUS.child(field), errors);
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of parts)
    if ((status[field] ?? 0) > replicas) errors.invalid(STATUS.child(field), status[field] ?? 0, 'cannot be greater than status.replicas');
  if (availableReplicas > readyReplicas)
    errors.invalid(STATUS.child('availableReplicas'), availableReplicas, 'cannot be greater than readyReplicas');
}

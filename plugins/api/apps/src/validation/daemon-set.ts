import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkNonNegative, FieldPath, goJson, PrintedValue, validateLabelSelector } from '@kubernel/sdk/api';
import { checkCollisions } from './deployment.ts';
import { checkAtMostAll, checkNumberOrPercent, isZeroShare, labelsOf, NO_MATCH, parsed } from './selectors.ts';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');

export function checkDaemonSet(set: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const spec: Decoded = set.spec ?? {};
  const template: Decoded = spec.template ?? {};
  const at = SPEC.child('template');
  validateLabelSelector(spec.selector, SPEC.child('selector'), errors);
  const selector = parsed(spec.selector);
  if (selector && !selector.matches(labelsOf(template))) errors.invalid(at.child('metadata', 'labels'), labelsOf(template), NO_MATCH);
  const { matchLabels = {}, matchExpressions = [] } = spec.selector ?? {};
  if (spec.selector && Object.keys(matchLabels).length + matchExpressions.length === 0) {
    errors.invalid(SPEC.child('selector'), {}, 'empty selector is invalid for daemonset');
  }
  context.validate('core.v1.PodTemplateSpec', template, at, errors);
  if (template.spec?.restartPolicy !== 'Always')
    errors.notSupported(at.child('spec', 'restartPolicy'), template.spec?.restartPolicy ?? '', ['Always']);
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.forbidden(at.child('spec', 'activeDeadlineSeconds'), 'activeDeadlineSeconds in DaemonSet is not Supported');
  }
  checkNonNegative(spec.minReadySeconds, SPEC.child('minReadySeconds'), errors);
  checkUpdateStrategy(spec.updateStrategy ?? {}, SPEC.child('updateStrategy'), errors);
  checkNonNegative(spec.revisionHistoryLimit, SPEC.child('revisionHistoryLimit'), errors);
}

function checkUpdateStrategy(strategy: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { type = '', rollingUpdate } = strategy;
  const at = path.child('rollingUpdate');
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate') {
    const printed = goJson({
      Type: type,
      RollingUpdate: rollingUpdate ? { MaxUnavailable: rollingUpdate.maxUnavailable ?? 0, MaxSurge: rollingUpdate.maxSurge ?? 0 } : null,
    });
    errors.notSupported(path, new PrintedValue(printed), ['RollingUpdate', 'OnDelete']);
    return;
  }
  if (!rollingUpdate) {
    errors.required(at);
    return;
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  checkNumberOrPercent(maxUnavailable, at.child('maxUnavailable'), errors);
  checkNumberOrPercent(maxSurge, at.child('maxSurge'), errors);
  checkAtMostAll(maxUnavailable, at.child('maxUnavailable'), errors);
  checkAtMostAll(maxSurge, at.child('maxSurge'), errors);
  const noneDown = isZeroShare(maxUnavailable);
  const noneMore = isZeroShare(maxSurge);
  if (noneDown && noneMore) errors.required(at.child('maxUnavailable'), 'cannot be 0 when maxSurge is 0');
  else if (!noneDown && !noneMore) errors.invalid(at.child('maxSurge'), maxSurge, 'may not be set when maxUnavailable is non-zero');
}

export function checkDaemonSetStatus(status: Decoded, before: Decoded, errors: FieldErrors): void {
  const fields = [
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'observedGeneration',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberUnavailable',
    'collisionCount',
  ];
  for (const field of fields) checkNonNegative(status[field], STATUS.child(field), errors);
  checkCollisions(status, before, errors);
}

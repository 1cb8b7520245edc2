import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkNonNegative, FieldPath, tryQuantity } from '@kubernel/sdk/api';
import { checkMetrics, checkReference } from './metrics.ts';

/** Horizontal pod autoscalers, in the form of autoscaling/v2. */

const SPEC = FieldPath.of('spec');
const MAX_PERIOD_SECONDS = 1800;
const MAX_WINDOW_SECONDS = 3600;

export function checkAutoscaler(object: Decoded, errors: FieldErrors): void {
  const { minReplicas, maxReplicas = 0, scaleTargetRef = {}, metrics, behavior = {} } = object.spec ?? {};
  const max = SPEC.child('maxReplicas');
  if (minReplicas != null && minReplicas < 1) errors.invalid(SPEC.child('minReplicas'), minReplicas, 'must be greater than or equal to 1');
  if (maxReplicas === 0) errors.required(max, 'must be set and greater than 0');
  else if (maxReplicas < 1) errors.invalid(max, maxReplicas, 'must be greater than or equal to 1');
  if (minReplicas != null && maxReplicas < minReplicas) errors.invalid(max, maxReplicas, 'must be greater than or equal to `minReplicas`');
  checkTarget(scaleTargetRef, SPEC.child('scaleTargetRef'), errors);
  checkMetrics(metrics ?? [], SPEC.child('metrics'), errors, minReplicas);
  for (const direction of ['scaleUp', 'scaleDown'])
    if (behavior[direction]) checkRules(behavior[direction], SPEC.child('behavior', direction), errors);
}

function checkTarget(target: Decoded, path: FieldPath, errors: FieldErrors): void {
  checkReference(target, path, errors);
  const { apiVersion = '', kind = '' } = target;
  const isCore = apiVersion === 'v1' && kind === 'ReplicationController';
  if (!apiVersion.includes('/') && !isCore) errors.invalid(path.child('apiVersion'), apiVersion, 'apiVersion must specify API group');
}

function checkRules(rules: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { stabilizationWindowSeconds: seconds, selectPolicy, tolerance } = rules;
  const window = path.child('stabilizationWindowSeconds');
  if (seconds != null && seconds < 0) errors.invalid(window, seconds, 'must be greater than or equal to zero');
  if (seconds != null && seconds > MAX_WINDOW_SECONDS)
    errors.invalid(window, seconds, `must be less than or equal to ${MAX_WINDOW_SECONDS}`);
  const choices = ['Disabled', 'Max', 'Min'];
  if (selectPolicy != null && !choices.includes(selectPolicy)) errors.notSupported(path.child('selectPolicy'), selectPolicy, choices);
  const policies: Decoded[] = rules.policies ?? [];
  if (policies.length === 0) errors.required(path.child('policies'), 'must specify at least one Policy');
  policies.forEach((policy, i) => {
    checkPolicy(policy, path.child('policies').index(i), errors);
  });
  if (tolerance != null && (tryQuantity(tolerance)?.sign ?? 0) < 0)
    errors.invalid(path.child('tolerance'), tolerance, 'must be greater than or equal to 0');
}

function checkPolicy({ type = '', value = 0, periodSeconds = 0 }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (type !== 'Percent' && type !== 'Pods') errors.notSupported(path.child('type'), type, ['Percent', 'Pods']);
  if (value <= 0) errors.invalid(path.child('value'), value, 'must be greater than zero');
  if (periodSeconds <= 0) errors.invalid(path.child('periodSeconds'), periodSeconds, 'must be greater than zero');
  if (periodSeconds > MAX_PERIOD_SECONDS)
    errors.invalid(path.child('periodSeconds'), periodSeconds, `must be less than or equal to ${MAX_PERIOD_SECONDS}`);
}

export function checkAutoscalerStatus(object: Decoded, errors: FieldErrors): void {
  for (const field of ['currentReplicas', 'desiredReplicas'])
    checkNonNegative(object.status?.[field], FieldPath.of('status', field), errors);
}

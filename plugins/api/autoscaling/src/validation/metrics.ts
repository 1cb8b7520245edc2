import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkDnsLabel, checkRequired, type FieldPath, nameIsPathSegment, tryQuantity } from '@kubernel/sdk/api';

/** What an autoscaler measures, in the form of autoscaling/v2. */

const SOURCES = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const SOURCE_OF: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

export function checkMetrics(metrics: readonly Decoded[], path: FieldPath, errors: FieldErrors, minReplicas: number | undefined): void {
  metrics.forEach((metric, i) => {
    checkMetric(metric, path.index(i), errors);
  });
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    errors.forbidden(path, 'must specify at least one Object or External metric to support scaling to zero replicas');
  }
}

function checkMetric(metric: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { type = '' } = metric;
  if (!type) errors.required(path.child('type'), 'must specify a metric source type');
  if (!TYPES.includes(type)) errors.notSupported(path.child('type'), type, TYPES);
  const present: string[] = SOURCES.filter((source) => metric[source]);
  const [first] = present;
  if (first) checkSource(first, metric[first], path.child(first), errors);
  const expected = SOURCE_OF[type];
  if (!expected) errors.notSupported(path.child('type'), type, TYPES);
  else if (!metric[expected]) errors.required(path.child(expected), 'must populate information for the given metric source');
  if (present.length === 1) return;
  for (const source of present) if (source !== expected) errors.forbidden(path.child(source), 'must populate the given metric source only');
}

function checkSource(kind: string, source: Decoded, path: FieldPath, errors: FieldErrors): void {
  const target: Decoded = source.target ?? {};
  const at = path.child('target');
  const { value, averageValue, averageUtilization } = target;
  if (kind === 'resource' || kind === 'containerResource') {
    checkRequired(source.name, path.child('name'), errors, 'must specify a resource name');
    if (kind === 'containerResource' && checkRequired(source.container, path.child('container'), errors, 'must specify a container')) {
      checkDnsLabel(source.container, path.child('container'), errors);
    }
    checkTarget(target, at, errors);
    if (averageUtilization == null && averageValue == null)
      errors.required(at.child('averageUtilization'), 'must set either a target raw value or a target utilization');
    if (averageUtilization != null && averageValue != null)
      errors.forbidden(at.child('averageValue'), 'may not set both a target raw value and a target utilization');
    return;
  }
  if (kind === 'object') checkReference(source.describedObject ?? {}, path.child('describedObject'), errors);
  const { name = '' } = source.metric ?? {};
  const nameAt = path.child('metric', 'name');
  if (checkRequired(name, nameAt, errors, 'must specify a metric name')) errors.invalidEach(nameAt, name, nameIsPathSegment(name, false));
  checkTarget(target, at, errors);
  if (kind === 'pods') {
    if (averageValue == null || !isPositive(averageValue))
      errors.required(at.child('averageValue'), 'must specify a positive target averageValue');
  } else if (value == null && averageValue == null) {
    const what = kind === 'object' ? 'a target value or averageValue' : 'a target value for metric or a per-pod target';
    errors.required(at.child('averageValue'), `must set either ${what}`);
  } else if (kind === 'external' && value != null && averageValue != null) {
    errors.forbidden(at.child('value'), 'may not set both a target value for metric and a per-pod target');
  }
}

const isPositive = (value: unknown): boolean => (tryQuantity(value)?.sign ?? 0) > 0;

function checkTarget({ type = '', value, averageValue, averageUtilization }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (!type) errors.required(path.child('type'), 'must specify a metric target type');
  if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    errors.invalid(path.child('type'), type, 'must be either Utilization, Value, or AverageValue');
  if (value != null && !isPositive(value)) errors.invalid(path.child('value'), value, 'must be positive');
  if (averageValue != null && !isPositive(averageValue)) errors.invalid(path.child('averageValue'), averageValue, 'must be positive');
  if (averageUtilization != null && averageUtilization < 1)
    errors.invalid(path.child('averageUtilization'), averageUtilization, 'must be greater than 0');
}

export function checkReference(reference: Decoded, path: FieldPath, errors: FieldErrors): void {
  for (const field of ['kind', 'name']) {
    const { [field]: text = '' } = reference;
    if (checkRequired(text, path.child(field), errors)) errors.invalidEach(path.child(field), text, nameIsPathSegment(text, false));
  }
  const { apiVersion = '' } = reference;
  if (apiVersion.split('/').length > 2)
    errors.invalid(path.child('apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
}

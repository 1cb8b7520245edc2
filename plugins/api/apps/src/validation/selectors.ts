import type { Decoded, FieldErrors, FieldPath, LabelSelector, Selector } from '@kubernel/sdk/api';
import { percent, selectorOf, validateLabelSelector } from '@kubernel/sdk/api';

/**
 * The selector of a workload: there, not empty, well formed. Returns it parsed, or undefined when it cannot be.
 * `owner` is the kind upstream names in its message.
 */
export function checkWorkloadSelector(
  selector: LabelSelector | undefined,
  path: FieldPath,
  errors: FieldErrors,
  owner: 'deployment' | 'daemonset' | 'statefulset',
): Selector | undefined {
  if (!selector) {
    if (owner !== 'daemonset') errors.required(path);
  } else {
    validateLabelSelector(selector, path, errors);
    if (isEmpty(selector)) errors.invalid(path, {}, `empty selector is invalid for ${owner}`);
  }
  return parsed(selector);
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

export function parsed(selector: LabelSelector | undefined): Selector | undefined {
  try {
    return selectorOf(selector);
  } catch {
    return undefined;
  }
}

/** A number that is not negative, or a percentage. */
export function checkNumberOrPercent(value: number | string, path: FieldPath, errors: FieldErrors): void {
  if (typeof value === 'string') errors.invalidEach(path, value, percent(value));
  else if (value < 0) errors.invalid(path, value, 'must be greater than or equal to 0');
}

/** Not more than 100%. */
export function checkAtMostAll(value: unknown, path: FieldPath, errors: FieldErrors): void {
  const share = typeof value === 'string' ? /^(\d+)%$/.exec(value) : null;
  if (share && Number(share[1]) > 100) errors.invalid(path, value, 'must not be greater than 100%');
}

/** Malformed strings count as zero. */
export const isZeroShare = (value: unknown): boolean =>
  value === undefined || value === 0 || (typeof value === 'string' && !/^\d*[1-9]\d*%$/.test(value));

export const labelsOf = (template: Decoded | undefined): Record<string, string> | undefined => template?.metadata?.labels;
export const NO_MATCH = '`selector` does not match template `labels`';

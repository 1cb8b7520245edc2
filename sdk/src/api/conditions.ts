import { checkEnum, checkRequired } from './field-checks.ts';
import type { FieldErrors, FieldPath } from './field-errors.ts';
import { byteLength, conditionReason, qualifiedName } from './names.ts';
import type { Decoded } from './object.ts';

const STATUSES = ['False', 'True', 'Unknown'];
const MAX_REASON = 1024;
const MAX_MESSAGE = 32_768;

/** meta.v1.Condition, one of each type. */
export function checkConditions(conditions: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>();
  conditions.forEach((condition, i) => {
    const at = path.index(i);
    const { type = '', status, reason = '', message = '', observedGeneration = 0, lastTransitionTime } = condition;
    if (seen.has(type)) errors.duplicate(at.child('type'), type);
    seen.add(type);
    errors.invalidEach(at.child('type'), type, qualifiedName(type));
    if (status) checkEnum(status, at.child('status'), errors, STATUSES);
    else errors.required(at.child('status'));
    if (observedGeneration < 0) errors.invalid(at.child('observedGeneration'), observedGeneration, 'must be greater than or equal to zero');
    if (!lastTransitionTime) errors.required(at.child('lastTransitionTime'));
    if (checkRequired(reason, at.child('reason'), errors)) {
      errors.invalidEach(at.child('reason'), reason, conditionReason(reason));
      if (byteLength(reason) > MAX_REASON) errors.tooLong(at.child('reason'), MAX_REASON);
    }
    if (byteLength(message) > MAX_MESSAGE) errors.tooLong(at.child('message'), MAX_MESSAGE);
  });
}

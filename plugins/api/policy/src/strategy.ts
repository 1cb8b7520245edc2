import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkConditions,
  checkEnumPointer,
  checkNonNegative,
  FieldPath,
  keepSpec,
  keepStatus,
  kindStrategy,
  nameIsPathSegment,
  percent,
  validateLabelSelector,
} from '@kubernel/sdk/api';

/** Pod disruption budgets. */

const SPEC = FieldPath.of('spec');

function checkBudget(budget: Decoded, errors: FieldErrors): void {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = budget.spec ?? {};
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.invalid(SPEC, printed(budget.spec), 'minAvailable and maxUnavailable cannot be both set');
  }
  checkShare(minAvailable, SPEC.child('minAvailable'), errors);
  checkShare(maxUnavailable, SPEC.child('maxUnavailable'), errors);
  validateLabelSelector(selector, SPEC.child('selector'), errors);
  checkEnumPointer(unhealthyPodEvictionPolicy, SPEC.child('unhealthyPodEvictionPolicy'), errors, ['AlwaysAllow', 'IfHealthyBudget']);
}

function printed({ minAvailable = null, selector = null, maxUnavailable = null, unhealthyPodEvictionPolicy = null }: Decoded): unknown {
  return {
    MinAvailable: minAvailable,
    Selector: selector,
    MaxUnavailable: maxUnavailable,
    UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy,
  };
}

/** A number, or a percentage of at most 100. */
function checkShare(value: number | string | undefined, path: FieldPath, errors: FieldErrors): void {
  if (value === undefined) return;
  if (typeof value === 'number') {
    checkNonNegative(value, path, errors);
    return;
  }
  errors.invalidEach(path, value, percent(value));
  if (/^\d+%$/.test(value) && Number.parseInt(value, 10) > 100) errors.invalid(path, value, 'must not be greater than 100%');
}

const budget = kindStrategy(
  { namespaced: true, name: nameIsPathSegment, kubeFinalizers: false, validate: checkBudget, onUpdate: ['validate'] },
  {
    generation: true,
    unconditionalUpdate: false,
    prepareForCreate(object) {
      object.status = {};
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
  },
);

const STATUS = FieldPath.of('status');
const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'];

const budgetStatus = kindStrategy(
  {
    namespaced: true,
    validateUpdate(object, _old, errors) {
      checkConditions(object.status?.conditions ?? [], STATUS.child('conditions'), errors);
      for (const field of COUNTS) checkNonNegative(object.status?.[field], STATUS.child(field), errors);
    },
    onUpdate: ['validateUpdate'],
  },
  { unconditionalUpdate: false, prepareForUpdate: keepSpec, resetFields: ['spec'] },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  poddisruptionbudgets: budget,
  'poddisruptionbudgets/status': budgetStatus,
};

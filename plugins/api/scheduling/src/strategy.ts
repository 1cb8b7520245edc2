import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkEnum, FieldPath, kindStrategy } from '@kubernel/sdk/api';

/** Priority classes. */

const HIGHEST_USER_PRIORITY = 1_000_000_000;
/** What the system has for itself. */
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

function checkPriorityClass(object: Decoded, errors: FieldErrors): void {
  const name: string = object.metadata.name ?? '';
  const value: number = object.value ?? 0;
  if (name.startsWith('system-')) {
    const reserved = "priority class names with 'system-' prefix are reserved for system use only. error: ";
    const known = SYSTEM_CLASSES[name];
    const at = FieldPath.of('metadata', 'name');
    if (known === undefined) errors.forbidden(at, `${reserved}${name} is not a known system priority class`);
    else if (known !== value) errors.forbidden(at, `${reserved}value of ${name} PriorityClass must be ${known}`);
    else if (object.globalDefault) errors.forbidden(at, `${reserved}globalDefault of ${name} must be false`);
  } else if (value > HIGHEST_USER_PRIORITY) {
    errors.forbidden(FieldPath.of('value'), `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`);
  }
  if (object.preemptionPolicy !== undefined)
    checkEnum(object.preemptionPolicy, FieldPath.of('preemptionPolicy'), errors, ['PreemptLowerPriority', 'Never']);
}

const priorityClass = kindStrategy(
  {
    namespaced: false,
    validate: checkPriorityClass,
    validateUpdate(object, old, errors) {
      if ((object.value ?? 0) !== (old.value ?? 0)) errors.forbidden(FieldPath.of('value'), 'may not be changed in an update.');
      if ((object.preemptionPolicy ?? '') !== (old.preemptionPolicy ?? '')) {
        errors.invalid(FieldPath.of('preemptionPolicy'), object.preemptionPolicy, 'field is immutable');
      }
    },
    onUpdate: ['update', 'validateUpdate'],
  },
  { generation: true, generationOf: () => 0 },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { priorityclasses: priorityClass };

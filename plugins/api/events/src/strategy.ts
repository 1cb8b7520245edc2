import type { Strategy, StrategyContext } from '@kubernel/sdk';
import type { FieldErrors, KubeObject } from '@kubernel/sdk/api';
import { FieldPath, validateObjectMeta, validateObjectMetaUpdate } from '@kubernel/sdk/api';
import { toStored } from './conversion.ts';
import { checkEventUpdate, checkNewEvent } from './validation/event.ts';

function checkAsCore(event: KubeObject, errors: FieldErrors, { validation }: StrategyContext): KubeObject {
  const stored = toStored(event);
  validation.validate('core.v1.Event#ofEventsGroup', stored, FieldPath.of(), errors);
  return stored;
}

const event: Strategy = {
  createOnUpdate: true,
  validate(object, errors, context) {
    const stored = checkAsCore(object, errors, context);
    validateObjectMeta(object.metadata, { namespaced: true, kubeFinalizers: true }, errors);
    checkNewEvent(stored, errors);
  },
  validateUpdate(object, old, errors, context) {
    const stored = checkAsCore(object, errors, context);
    validateObjectMetaUpdate(object.metadata, old.metadata, errors, { kubeFinalizers: true });
    checkEventUpdate(stored, toStored(old), errors);
  },
};

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { events: event };

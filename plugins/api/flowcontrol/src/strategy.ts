import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { keepSpec, keepStatus, kindStrategy } from '@kubernel/sdk/api';
import { checkConditions, checkFlowSchema } from './validation/flow-schema.ts';
import { checkPriorityLevel } from './validation/priority-level.ts';

const kind = (check: (object: Decoded, errors: FieldErrors) => void): Strategy =>
  kindStrategy(
    { namespaced: false, validate: check, onUpdate: ['meta', 'validate'] },
    {
      generation: true,
      prepareForCreate(object) {
        object.status = {};
      },
      prepareForUpdate: keepStatus,
      resetFields: ['status'],
    },
  );

const status = kindStrategy(
  { namespaced: false, validateUpdate: (object, _old, errors) => checkConditions(object, errors), onUpdate: ['validateUpdate'] },
  { prepareForUpdate: keepSpec, resetFields: ['spec'] },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  flowschemas: kind(checkFlowSchema),
  'flowschemas/status': status,
  prioritylevelconfigurations: kind(checkPriorityLevel),
  'prioritylevelconfigurations/status': status,
};

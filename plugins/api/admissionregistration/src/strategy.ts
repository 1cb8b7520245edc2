import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { keepSpec, keepStatus, kindStrategy } from '@kubernel/sdk/api';
import { checkMutatingPolicy, checkPolicyBinding, checkValidatingPolicy } from './validation/policies.ts';
import { checkWebhooks } from './validation/webhooks.ts';

function strategy(check: (object: Decoded, old: Decoded | undefined, errors: FieldErrors) => void, rest: Strategy = {}): Strategy {
  return kindStrategy(
    {
      namespaced: false,
      kubeFinalizers: false,
      validate: (object, errors, { validation }) => check(object, validation.old, errors),
      onUpdate: ['meta', 'validate'],
    },
    { generation: true, unconditionalUpdate: false, ...rest },
  );
}

const webhooks = (mutating: boolean): Strategy =>
  strategy((object, old, errors) => checkWebhooks(object, old, errors, mutating), {
    generationOf: (object) => (object as Decoded).webhooks,
  });
const binding = (validating: boolean): Strategy => strategy((object, _old, errors) => checkPolicyBinding(object, errors, validating));

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  mutatingadmissionpolicies: strategy(checkMutatingPolicy),
  mutatingadmissionpolicybindings: binding(false),
  mutatingwebhookconfigurations: webhooks(true),
  validatingadmissionpolicies: strategy(checkValidatingPolicy, {
    prepareForCreate(object) {
      object.status = {};
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
  }),
  'validatingadmissionpolicies/status': kindStrategy(
    { namespaced: false, onUpdate: ['update'] },
    { prepareForUpdate: keepSpec, resetFields: ['spec'] },
  ),
  validatingadmissionpolicybindings: binding(true),
  validatingwebhookconfigurations: webhooks(false),
};

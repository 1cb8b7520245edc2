import type { Strategy } from '@kubernel/sdk';
import { kindStrategy, nameIsPathSegment } from '@kubernel/sdk/api';
import { checkAggregation, checkBinding, checkRules, checkSameRole } from './validation/rules.ts';

/** Names of roles may hold colons and more: they are any segment of a path. */
const role = (namespaced: boolean): Strategy =>
  kindStrategy(
    {
      namespaced,
      name: nameIsPathSegment,
      validate(object, errors) {
        checkRules(object, errors, namespaced);
        if (!namespaced) checkAggregation(object, errors);
      },
      onUpdate: ['meta', 'validate', 'update'],
    },
    { createOnUpdate: true },
  );

const binding = (namespaced: boolean): Strategy =>
  kindStrategy(
    {
      namespaced,
      name: nameIsPathSegment,
      validate: (object, errors) => checkBinding(object, errors, namespaced),
      validateUpdate: (object, old, errors) => checkSameRole(object, old, errors),
      onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
    },
    { createOnUpdate: true },
  );

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  clusterrolebindings: binding(false),
  clusterroles: role(false),
  rolebindings: binding(true),
  roles: role(true),
};

import type { Strategy, ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkDnsLabel,
  checkImmutable,
  checkRequired,
  FieldPath,
  goJson,
  kindStrategy,
  PrintedValue,
  validateLabels,
} from '@kubernel/sdk/api';

/** Runtime classes (https://kubernetes.io/docs/concepts/containers/runtime-class/). */

function checkRuntimeClass(object: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const handler = FieldPath.of('handler');
  if (checkRequired(object.handler, handler, errors)) checkDnsLabel(object.handler, handler, errors);
  if (object.overhead)
    context.validate('core.v1.ResourceRequirements', { limits: object.overhead.podFixed }, FieldPath.of('overhead'), errors);
  if (!object.scheduling) return;
  const at = FieldPath.of('scheduling');
  const { nodeSelector, tolerations = [] } = object.scheduling;
  validateLabels(nodeSelector, at.child('nodeSelector'), errors);
  const seen = new Set<string>();
  (tolerations as Decoded[]).forEach((toleration, i) => {
    // One by one, so that a repeated one is reported where it stands.
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds = null } = toleration;
    const printed = goJson({ Key: key, Operator: operator, Value: value, Effect: effect, TolerationSeconds: tolerationSeconds });
    context.validate('core.v1.Toleration', toleration, at.child('tolerations').index(i), errors);
    if (seen.has(printed)) errors.duplicate(at.child('tolerations').index(i), new PrintedValue(printed));
    seen.add(printed);
  });
}

const runtimeClass = kindStrategy(
  {
    namespaced: false,
    kubeFinalizers: false,
    validate: (object, errors, { validation }) => checkRuntimeClass(object, errors, validation),
    validateUpdate: (object, old, errors) =>
      checkImmutable(object.handler, old.handler, FieldPath.of('handler'), errors, object.handler ?? ''),
    onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
  },
  { unconditionalUpdate: false },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { runtimeclasses: runtimeClass };

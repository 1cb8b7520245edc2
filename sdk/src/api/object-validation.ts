import type { ResourceDefinition, StrategyContext } from '../roles/api.ts';
import { FieldErrors, FieldPath } from './field-errors.ts';
import { nameIsPathSegment } from './names.ts';
import type { KubeObject } from './object.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const ROOT = FieldPath.of();

/**
 * What the API server runs after prepareForCreate: the kind's strategy, which checks metadata itself in its own order;
 * then, when that found nothing, the generic rules. A resource without `strategy.validate` gets `strategy.validateName`
 * and the validator of its type.
 */
export function validateNewObject(resource: ResourceDefinition, object: KubeObject, context: StrategyContext): FieldErrors {
  const errors = new FieldErrors();
  const strategy = resource.strategy;
  if (strategy?.validate) {
    strategy.validate(object, errors, context);
  } else {
    validateObjectMeta(object.metadata, { namespaced: resource.namespaced, name: strategy?.validateName }, errors);
    context.validation.validate(resource.type, object, ROOT, errors);
  }
  if (errors.empty) validateObjectMeta(object.metadata, { namespaced: resource.namespaced, name: nameIsPathSegment }, errors);
  return errors;
}

/** What the API server runs after prepareForUpdate: the generic rules first, then the kind's own, which may repeat them. */
export function validateChangedObject(
  resource: ResourceDefinition,
  object: KubeObject,
  old: KubeObject,
  context: StrategyContext,
): FieldErrors {
  const errors = new FieldErrors();
  const strategy = resource.strategy;
  validateObjectMeta(object.metadata, { namespaced: resource.namespaced, name: nameIsPathSegment }, errors);
  validateObjectMetaUpdate(object.metadata, old.metadata, errors);
  if (strategy?.validateUpdate) strategy.validateUpdate(object, old, errors, context);
  else if (strategy?.validate) strategy.validate(object, errors, context);
  else context.validation.validate(resource.type, object, ROOT, errors);
  return errors;
}

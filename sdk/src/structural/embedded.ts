import { type FieldErrors, FieldPath } from '../api/field-errors.ts';
import type { ObjectMeta } from '../api/object.ts';
import { validateObjectMeta } from '../api/object-meta.ts';
import { isObject, itemsOf, type JsonSchema, propertyOf, valuesOf } from './schema.ts';

/** Whole resources inside a resource (`x-kubernetes-embedded-resource`) must have a kind, an apiVersion and sound metadata. */
export function validateEmbedded(value: unknown, schema: JsonSchema | undefined, errors: FieldErrors, at?: FieldPath): void {
  if (!schema || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items) for (const [index, item] of value.entries()) validateEmbedded(item, items, errors, (at ?? FieldPath.of()).index(index));
    return;
  }
  if (!isObject(value)) return;
  if (schema['x-kubernetes-embedded-resource'] && at) checkResource(value, errors, at);
  const values = valuesOf(schema);
  for (const key of Object.keys(value)) {
    const property = propertyOf(schema, key);
    const inner = property ?? values;
    if (inner)
      validateEmbedded(value[key], inner, errors, property ? (at?.child(key) ?? FieldPath.of(key)) : (at ?? FieldPath.of()).key(key));
  }
}

const GROUP_VERSION = /^[^/]+(?:\/[^/]+)?$/;

function checkResource(value: Record<string, unknown>, errors: FieldErrors, at: FieldPath): void {
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || apiVersion === '') errors.required(at.child('apiVersion'), 'must not be empty');
  else if (!GROUP_VERSION.test(apiVersion))
    errors.invalid(at.child('apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  if (typeof kind !== 'string' || kind === '') errors.required(at.child('kind'), 'must not be empty');
  if (!isObject(metadata)) return;
  // An embedded resource need not have a name, and may be of any scope.
  const { namespace: _namespace, ...rest } = metadata as ObjectMeta;
  const named = rest.name || rest.generateName ? rest : { ...rest, name: 'fakename' };
  validateObjectMeta(named, { namespaced: false, name: () => [], path: at.child('metadata') }, errors);
}

import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { prune, same, validateEmbedded, validateRules, validateValue } from '@kubernel/sdk/structural';

/** A default is a value that the schema it stands in would take, and knows every field of. */
export function checkDefault(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (schema.default === undefined) return;
  const at = path.child('default');
  const pruned = structuredClone(schema.default);
  prune(pruned, schema, schema['x-kubernetes-embedded-resource'] === true);
  if (!same(pruned, schema.default)) errors.invalid(at, schema.default, 'must not have unknown fields');
  const before = errors.list.length;
  validateEmbedded(schema.default, schema, errors, at);
  if (errors.list.length === before) validateValue(schema.default, schema, errors, at);
  if (errors.list.length === before) validateRules(schema.default, schema, errors, at);
}

import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';

/** Defaults fit the schema they stand in, as far as types go. */

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

export function checkDefault(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (schema.default === undefined || (schema.default === null && schema.nullable)) return;
  checkValue(schema.default, schema, '', path.child('default'), errors);
}

/** `name` is where in the default the value stands: `a.b[0]`. */
function checkValue(value: unknown, schema: Decoded, name: string, path: FieldPath, errors: FieldErrors): void {
  const actual = typeOf(value);
  const { type } = schema;
  if (schema['x-kubernetes-int-or-string'] || !type) return;
  if (actual === 'null' && schema.nullable) return;
  if (type !== actual && !(type === 'number' && actual === 'integer')) {
    errors.typeInvalid(name ? path.child(name) : path, actual, `${name} in body must be of type ${type}: "${actual}"`);
    return;
  }
  if (Array.isArray(schema.enum) && !schema.enum.some((item: unknown) => JSON.stringify(item) === JSON.stringify(value))) {
    errors.notSupported(
      name ? path.child(name) : path,
      value,
      schema.enum.map((item: unknown) => (typeof item === 'string' ? item : JSON.stringify(item))),
    );
  }
  if (actual === 'array' && schema.items)
    for (const [i, item] of (value as unknown[]).entries()) checkValue(item, schema.items, `${name}[${i}]`, path, errors);
  if (actual !== 'object') return;
  for (const [key, item] of Object.entries(value as object)) {
    const property =
      schema.properties?.[key] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    if (property) checkValue(item, property, name ? `${name}.${key}` : key, path, errors);
  }
}

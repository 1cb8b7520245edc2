import type { FieldErrors, FieldPath } from '../api/field-errors.ts';
import { FieldPath as Path } from '../api/field-errors.ts';
import { isObject, itemsOf, type JsonSchema, propertyOf, valuesOf } from './schema.ts';

/** Elements of lists that are sets or maps (`x-kubernetes-list-type`) may not occur twice. */
export function validateListTypes(value: unknown, schema: JsonSchema | undefined, errors: FieldErrors, at?: FieldPath): void {
  if (!schema || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    checkElements(value, schema, errors, at);
    const items = itemsOf(schema);
    if (items) for (const [index, item] of value.entries()) validateListTypes(item, items, errors, (at ?? Path.of()).index(index));
    return;
  }
  if (!isObject(value)) return;
  const values = valuesOf(schema);
  for (const key of Object.keys(value).sort()) {
    const property = propertyOf(schema, key);
    const inner = property ?? values;
    if (!inner) continue;
    validateListTypes(value[key], inner, errors, property ? (at?.child(key) ?? Path.of(key)) : (at ?? Path.of()).key(key));
  }
}

function checkElements(list: readonly unknown[], schema: JsonSchema, errors: FieldErrors, at: FieldPath | undefined): void {
  const type = schema['x-kubernetes-list-type'];
  const keys = type === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
  if (type !== 'set' && !keys?.length) return;
  const seen = new Set<string>();
  list.forEach((item, index) => {
    if (keys && !isObject(item)) return;
    const identity = keys ? pick(item as Record<string, unknown>, keys) : item;
    const text = canonical(identity);
    if (seen.has(text)) errors.duplicate((at ?? Path.of()).index(index), identity);
    seen.add(text);
  });
}

function pick(item: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries([...keys].sort().flatMap((key) => (item[key] === undefined ? [] : [[key, item[key]]])));
}

function canonical(value: unknown): string {
  if (!isObject(value)) return Array.isArray(value) ? `[${value.map(canonical).join(',')}]` : JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}

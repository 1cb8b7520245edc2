import { eachSchema, isObject, itemsOf, type JsonSchema, propertyOf, valuesOf } from './schema.ts';

/** Fills in, in place, the defaults of what is missing, or null where null is no value. Returns whether anything was. */
export function applySchemaDefaults(value: unknown, schema: JsonSchema | undefined): boolean {
  if (!schema || typeof value !== 'object' || value === null) return false;
  let changed = false;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (!items) return false;
    for (let index = 0; index < value.length; index++) {
      if (isUnwantedNull(value[index], items) && items.default !== undefined) {
        value[index] = structuredClone(items.default);
        changed = true;
      }
      if (applySchemaDefaults(value[index], items)) changed = true;
    }
    return changed;
  }
  const object = value as Record<string, unknown>;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined) continue;
    if (!Object.hasOwn(object, name) || isUnwantedNull(object[name], property)) {
      object[name] = structuredClone(property.default);
      changed = true;
    }
  }
  const values = valuesOf(schema);
  for (const key of Object.keys(object)) {
    const inner = propertyOf(schema, key) ?? values;
    if (!inner) continue;
    if (inner === values && isUnwantedNull(object[key], values) && values.default !== undefined) {
      object[key] = structuredClone(values.default);
      changed = true;
    }
    if (applySchemaDefaults(object[key], inner)) changed = true;
  }
  return changed;
}

/** Drops, in place, nulls where null is no value and no default took their place. Returns whether there were any. */
export function dropNulls(value: unknown, schema: JsonSchema | undefined): boolean {
  if (!schema || typeof value !== 'object' || value === null) return false;
  let changed = false;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    for (const item of value) if (dropNulls(item, items)) changed = true;
    return changed;
  }
  if (!isObject(value)) return false;
  const values = valuesOf(schema);
  for (const key of Object.keys(value)) {
    const inner = propertyOf(schema, key) ?? values;
    if (isUnwantedNull(value[key], inner)) {
      delete value[key];
      changed = true;
    } else if (dropNulls(value[key], inner)) changed = true;
  }
  return changed;
}

function isUnwantedNull(value: unknown, schema: JsonSchema | undefined): boolean {
  return value === null && schema !== undefined && schema.nullable !== true;
}

/** Whether there is any default to fill in. */
export function hasDefaults(schema: JsonSchema | undefined): boolean {
  let found = false;
  if (schema) eachSchema(schema, (inner) => (found ||= inner.default !== undefined));
  return found;
}

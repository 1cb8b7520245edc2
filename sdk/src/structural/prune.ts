import { isObject, itemsOf, type JsonSchema, META_FIELDS, propertyOf, valuesOf } from './schema.ts';

/**
 * Takes away, in place, every field that the schema does not know. Returns the paths of what was taken, sorted.
 * `root`: the value is a whole resource, whose kind, apiVersion and metadata are known without a schema.
 */
export function prune(value: unknown, schema: JsonSchema | undefined, root: boolean): string[] {
  const removed: string[] = [];
  walk(value, schema, root || schema?.['x-kubernetes-embedded-resource'] === true, '', removed);
  return removed.sort();
}

function walk(value: unknown, schema: JsonSchema | undefined, resource: boolean, path: string, removed: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  const preserve = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    // Where nothing is known and all is kept, there is nothing to look for.
    if (preserve && !items) return;
    for (let index = 0; index < value.length; index++) step(value[index], items, `${path}[${index}]`, removed);
    return;
  }
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) {
    if (resource && META_FIELDS.has(key)) continue;
    const at = path ? `${path}.${key}` : key;
    const property = propertyOf(schema, key);
    if (property) step(value[key], property, at, removed);
    else if (schema?.additionalProperties) {
      const values = valuesOf(schema);
      if (values || !preserve) step(value[key], values, at, removed);
    } else if (!preserve) {
      removed.push(at);
      delete value[key];
    }
  }
}

function step(value: unknown, schema: JsonSchema | undefined, path: string, removed: string[]): void {
  walk(value, schema, schema?.['x-kubernetes-embedded-resource'] === true, path, removed);
}

import type { JsonSchema } from '../structural/schema.ts';
import { isObject, itemsOf, META_FIELDS, propertyOf, valuesOf } from '../structural/schema.ts';

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

/** A property's name as CEL writes it (https://kubernetes.io/docs/reference/using-api/cel/#escaping). */
export function celName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(/__/g, '__underscores__').replace(/\./g, '__dot__').replace(/-/g, '__dash__').replace(/\//g, '__slash__');
}

/** A JSON value as CEL sees it: whole numbers are integers unless the schema says otherwise, times are times, names are escaped. */
export function celValue(value: unknown, schema: JsonSchema | undefined, root = false): unknown {
  if (typeof value === 'number') return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value);
  if (typeof value === 'string') return celText(value, schema);
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return value.map((item) => celValue(item, items));
  }
  if (!isObject(value)) return value;
  const out: Record<string, unknown> = {};
  const values = valuesOf(schema);
  const resource = root || schema?.['x-kubernetes-embedded-resource'] === true;
  for (const [key, item] of Object.entries(value)) {
    if (resource && key === 'metadata') out.metadata = visibleMetadata(item);
    else {
      const property = propertyOf(schema, key);
      const known = property !== undefined || (resource && META_FIELDS.has(key));
      // What the schema does not know cannot be reached; without any schema, everything can.
      if (known) out[celName(key)] = celValue(item, property);
      else if (values || !schema?.properties) out[key] = celValue(item, values);
    }
  }
  return out;
}

/** Of metadata, rules see names alone. */
function visibleMetadata(metadata: unknown): Record<string, unknown> {
  const { name, generateName } = (isObject(metadata) ? metadata : {}) as { name?: string; generateName?: string };
  return { ...(name === undefined ? {} : { name }), ...(generateName === undefined ? {} : { generateName }) };
}

function celText(value: string, schema: JsonSchema | undefined): unknown {
  if (schema?.['x-kubernetes-int-or-string'] || !schema?.format) return value;
  if (schema.format === 'date-time' || schema.format === 'date') {
    const time = new Date(value);
    return Number.isNaN(time.getTime()) ? value : time;
  }
  return schema.format === 'byte' ? new Uint8Array(Buffer.from(value, 'base64')) : value;
}

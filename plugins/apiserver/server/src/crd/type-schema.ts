import type { FieldSchema, TypeRef, TypeSchema } from '@kubernel/sdk';
import { itemsOf, type JsonSchema, META_FIELDS, valuesOf } from '@kubernel/sdk/structural';

/**
 * A structural schema as the type that server-side apply and managedFields work on. Names stay empty inside, so that parts
 * are never taken for one another.
 */
export function kindSchema(name: string, schema: JsonSchema | undefined): TypeSchema {
  const type: TypeSchema = { name, fields: new Map() };
  add(type, 'kind', { type: { kind: 'scalar', scalar: 'string' } });
  add(type, 'apiVersion', { type: { kind: 'scalar', scalar: 'string' } });
  add(type, 'metadata', { type: { kind: 'ref', name: 'meta.v1.ObjectMeta' } });
  for (const [field, inner] of Object.entries(schema?.properties ?? {})) if (!META_FIELDS.has(field)) add(type, field, fieldOf(inner));
  if (schema?.['x-kubernetes-preserve-unknown-fields']) type.preserveUnknown = true;
  return type;
}

type Partial1 = Pick<FieldSchema, 'type'> & Partial<FieldSchema>;

function add(type: TypeSchema, name: string, field: Partial1): void {
  type.fields.set(name, { name, goType: '', number: 0, omitEmpty: true, pointer: true, required: false, ...field });
}

function fieldOf(schema: JsonSchema): Partial1 {
  const field: Partial1 = { type: typeOf(schema) };
  const listType = schema['x-kubernetes-list-type'];
  if (schema.type === 'array') field.listType = listType ?? 'atomic';
  if (listType === 'map') field.listMapKeys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (schema['x-kubernetes-map-type'] === 'atomic') field.mapType = 'atomic';
  if (schema.default !== undefined) field.default = schema.default;
  return field;
}

function typeOf(schema: JsonSchema): TypeRef {
  const { type } = schema;
  if (type === 'string') return { kind: 'scalar', scalar: 'string' };
  if (type === 'boolean') return { kind: 'scalar', scalar: 'bool' };
  if (type === 'integer') return { kind: 'scalar', scalar: 'int64' };
  if (type === 'number') return { kind: 'scalar', scalar: 'float64' };
  const items = itemsOf(schema);
  if (type === 'array') return { kind: 'list', of: items ? typeOf(items) : FREE };
  if (schema['x-kubernetes-int-or-string']) return { kind: 'scalar', scalar: 'intorstring' };
  if (type !== 'object') return FREE;
  const values = valuesOf(schema);
  if (values) return { kind: 'map', of: typeOf(values) };
  if (schema.additionalProperties === true) return FREE;
  if (schema['x-kubernetes-preserve-unknown-fields'] && !schema.properties) return FREE;
  const struct: TypeSchema = { name: '', fields: new Map() };
  for (const [name, property] of Object.entries(schema.properties ?? {})) add(struct, name, fieldOf(property));
  if (schema['x-kubernetes-embedded-resource'])
    for (const name of META_FIELDS) if (!struct.fields.has(name)) add(struct, name, { type: FREE });
  if (schema['x-kubernetes-preserve-unknown-fields']) struct.preserveUnknown = true;
  if (schema['x-kubernetes-map-type'] === 'atomic') struct.atomic = true;
  return { kind: 'inline', schema: struct };
}

/** Whatever JSON: objects in it are owned field by field, lists as a whole. */
const FREE: TypeRef = { kind: 'scalar', scalar: 'any' };

import type { CompactField, FieldSchema, ScalarKind, TypeRef, TypeSchema, TypeTable, TypeTraits } from '@kubernel/sdk';

/** Turns the compact tables of the API groups into {@link TypeSchema}s. */

const SCALARS = new Set<string>([
  'string',
  'bool',
  'int32',
  'int64',
  'float64',
  'bytes',
  'time',
  'microtime',
  'duration',
  'quantity',
  'intorstring',
  'raw',
  'fieldsv1',
  'any',
]);

const GO_OF_SCALAR: Readonly<Partial<Record<ScalarKind, string>>> = {
  bytes: '[]uint8',
  time: 'v1.Time',
  microtime: 'v1.MicroTime',
  duration: 'v1.Duration',
  quantity: 'resource.Quantity',
  intorstring: 'intstr.IntOrString',
  raw: 'runtime.RawExtension',
  fieldsv1: 'v1.FieldsV1',
  any: 'v1.JSON',
};

export function expandType(name: string, fields: Readonly<Record<string, CompactField>>, traits?: TypeTraits): TypeSchema {
  const schema: TypeSchema = { name, fields: new Map() };
  for (const [field, compact] of Object.entries(fields)) schema.fields.set(field, expandField(field, compact));
  if (traits?.atomic) schema.atomic = true;
  if (traits?.union) schema.union = traits.union;
  return schema;
}

function expandField(name: string, [text, number, flags, extra]: CompactField): FieldSchema {
  const type = parseTypeRef(text);
  const field: FieldSchema = {
    name,
    type,
    goType: extra?.go ?? goTypeOf(type),
    number,
    omitEmpty: flags.includes('e'),
    pointer: flags.includes('p'),
    required: flags.includes('r'),
  };
  if (flags.includes('z')) field.omitZero = true;
  if (!extra) return field;
  if (extra.via) field.via = extra.via;
  if (extra.within) field.within = extra.within;
  if (extra.listType) field.listType = extra.listType;
  if (extra.keys) field.listMapKeys = extra.keys;
  if (extra.mapType) field.mapType = extra.mapType;
  if (extra.patch) field.patchStrategy = extra.patch;
  if (extra.mergeKey) field.patchMergeKey = extra.mergeKey;
  if (extra.default !== undefined) field.default = extra.default;
  if (extra.enum) field.enum = extra.enum;
  return field;
}

/** `[]core.v1.Container`, `{}string`, `any(bool|core.v1.X)`. */
export function parseTypeRef(text: string): TypeRef {
  if (text.startsWith('[]')) return { kind: 'list', of: parseTypeRef(text.slice(2)) };
  if (text.startsWith('{}')) return { kind: 'map', of: parseTypeRef(text.slice(2)) };
  if (text.startsWith('any(')) return { kind: 'scalar', scalar: 'any', accepts: text.slice(4, -1).split('|').map(parseTypeRef) };
  if (SCALARS.has(text)) return { kind: 'scalar', scalar: text as ScalarKind };
  return { kind: 'ref', name: text };
}

/** The Go name of a type as decode errors print it. */
export function goTypeOf(type: TypeRef): string {
  if (type.kind === 'list') return `[]${goTypeOf(type.of)}`;
  if (type.kind === 'map') return `map[string]${goTypeOf(type.of)}`;
  if (type.kind === 'inline') return type.schema.name;
  if (type.kind === 'ref') return type.name.split('.').slice(-2).join('.');
  return GO_OF_SCALAR[type.scalar] ?? type.scalar;
}

/** The Go name of what a list or a map holds, given the name of the list or map. */
export function elementGoType(goType: string, element: TypeRef): string {
  if (goType.startsWith('[]')) return goType.slice(2);
  if (goType.startsWith('map[')) return goType.slice(goType.indexOf(']') + 1);
  return goTypeOf(element); // a named Go type that hides its element: ResourceList, ExtraValue
}

/** `core.v1.PodList`: every kind with a list has one, and all are alike. */
export function listTypeOf(kindType: string): TypeTable[string] {
  return {
    kind: ['string', 0, 'e'],
    apiVersion: ['string', 0, 'e'],
    metadata: ['meta.v1.ListMeta', 1, 'e'],
    items: [`[]${kindType}`, 2, 'r'],
  };
}

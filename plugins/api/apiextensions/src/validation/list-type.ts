import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';

/** x-kubernetes-list-type, -list-map-keys and -map-type: how lists and maps are merged. */

const LIST = 'x-kubernetes-list-type';
const KEYS = 'x-kubernetes-list-map-keys';
const MAP = 'x-kubernetes-map-type';

export function checkListAndMap(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  const listType = schema[LIST];
  const mapType = schema[MAP];
  const keys: string[] = schema[KEYS] ?? [];
  if (mapType != null) {
    checkType(schema, 'object', `must be object if ${MAP} is specified`, path, errors);
    if (!['atomic', 'granular'].includes(mapType)) errors.notSupported(path.child(MAP), mapType, ['atomic', 'granular']);
  }
  if (listType != null) {
    checkType(schema, 'array', `must be array if ${LIST} is specified`, path, errors);
    if (!['atomic', 'set', 'map'].includes(listType)) errors.notSupported(path.child(LIST), listType, ['atomic', 'set', 'map']);
  }
  if (keys.length > 0 && listType == null) errors.required(path.child(LIST), `must be map if ${KEYS} is non-empty`);
  if (keys.length > 0 && listType != null && listType !== 'map')
    errors.invalid(path.child(LIST), listType, `must be map if ${KEYS} is non-empty`);
  if (listType === 'map') checkMapKeys(schema, keys, path, errors);
  if (listType === 'map' || listType === 'set') checkElements(schema, listType, path, errors);
}

function checkType(schema: Decoded, type: string, why: string, path: FieldPath, errors: FieldErrors): void {
  if (!schema.type) errors.required(path.child('type'), why);
  else if (schema.type !== type) errors.invalid(path.child('type'), schema.type, why);
}

function checkMapKeys(schema: Decoded, keys: readonly string[], path: FieldPath, errors: FieldErrors): void {
  if (keys.length === 0) errors.required(path.child(KEYS), `must not be empty if ${LIST} is map`);
  const { items } = schema;
  if (!items) {
    errors.required(path.child('items'), `must have a schema if ${LIST} is map`);
    return;
  }
  if (items.type !== 'object')
    errors.invalid(path.child('items', 'type'), items.type ?? '', `must be object if parent array's ${LIST} is map`);
  keys.forEach((key, i) => {
    const property = items.properties?.[key];
    if (!property) errors.invalid(path.child(KEYS), keys, 'entries must all be names of item properties');
    else if (['array', 'object'].includes(property.type))
      errors.invalid(
        path.child('items', 'properties').key(key).child('type'),
        property.type,
        `must be a scalar type if parent array's ${LIST} is map`,
      );
    if (keys.indexOf(key) < i) errors.invalid(path.child(KEYS), keys, 'must not contain duplicate entries');
  });
}

/** Elements that are told apart by their value or keys have them. */
function checkElements(schema: Decoded, listType: 'map' | 'set', path: FieldPath, errors: FieldErrors): void {
  const { items } = schema;
  if (!items || Array.isArray(items)) return;
  const at = path.child('items');
  if (items.nullable) errors.forbidden(at.child('nullable'), `cannot be nullable when ${LIST} is ${listType}`);
  if (listType === 'set') {
    if (items.type === 'object' && items[MAP] !== 'atomic')
      errors.invalid(at.child(MAP), items[MAP] ?? null, `must be atomic as item of a list with ${LIST}=set`);
    if (items.type === 'array' && items[LIST] != null && items[LIST] !== 'atomic')
      errors.invalid(at.child(LIST), items[LIST], `must be atomic as item of a list with ${LIST}=set`);
    return;
  }
  for (const key of (schema[KEYS] ?? []) as string[]) {
    const property = items.properties?.[key];
    if (!property) continue;
    const place = at.child('properties').key(key);
    if (!items.required?.includes(key) && property.default === undefined)
      errors.required(place.child('default'), `this property is in ${KEYS}, so it must have a default or be a required property`);
    if (property.nullable) errors.forbidden(place.child('nullable'), `this property is in ${KEYS}, so it cannot be nullable`);
  }
}

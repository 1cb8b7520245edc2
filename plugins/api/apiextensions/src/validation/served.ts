import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';

/** How custom resources are served: subresources, printer columns and selectable fields. */

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const MAX_SELECTABLE = 8;

function isSimplePath(path: string, at: FieldPath, errors: FieldErrors): boolean {
  if (path.startsWith('.')) return true;
  errors.invalid(at, path, 'must be a simple json path starting with .');
  return false;
}

export function checkSubresources({ scale }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (!scale) return;
  for (const [field, root] of [
    ['specReplicasPath', '.spec'],
    ['statusReplicasPath', '.status'],
  ] as const) {
    const { [field]: value = '' } = scale;
    const at = path.child('scale', field);
    if (!value) errors.required(at);
    else if (isSimplePath(value, at, errors) && !value.startsWith(`${root}.`))
      errors.invalid(at, value, `should be a json path under ${root}`);
  }
  const { labelSelectorPath: selector } = scale;
  const at = path.child('scale', 'labelSelectorPath');
  if (selector && isSimplePath(selector, at, errors) && !/^\.(spec|status)\./.test(selector))
    errors.invalid(at, selector, 'should be a json path under either .spec or .status');
}

export function checkColumns(columns: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  columns.forEach(({ name = '', type = '', format = '', jsonPath = '' }, i) => {
    const at = path.index(i);
    const types = `must be one of ${COLUMN_TYPES.join(',')}`;
    if (!name) errors.required(at.child('name'));
    if (!type) errors.required(at.child('type'), types);
    else if (!COLUMN_TYPES.includes(type)) errors.invalid(at.child('type'), type, types);
    if (format && !COLUMN_FORMATS.includes(format))
      errors.invalid(at.child('format'), format, `must be one of ${COLUMN_FORMATS.join(',')}`);
    if (!jsonPath) errors.required(at.child('JSONPath'));
    else isSimplePath(jsonPath, at.child('JSONPath'), errors);
  });
}

export function checkSelectableFields(fields: readonly Decoded[], schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>();
  if (fields.length > MAX_SELECTABLE) errors.tooMany(path, fields.length, MAX_SELECTABLE);
  fields.forEach(({ jsonPath = '' }, i) => {
    const at = path.index(i).child('jsonPath');
    if (!jsonPath) {
      errors.required(at);
      return;
    }
    const target = fieldAt(schema, jsonPath);
    if (!target) errors.invalid(at, jsonPath, 'is an invalid path: does not refer to a valid field');
    else if (!['string', 'boolean', 'integer'].includes(target.type)) {
      errors.invalid(
        at,
        jsonPath,
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      );
    }
    if (jsonPath.startsWith('.metadata')) errors.invalid(at, jsonPath, 'must not point to fields in metadata');
    if (seen.has(jsonPath)) errors.duplicate(at, jsonPath);
    seen.add(jsonPath);
  });
}

function fieldAt(schema: Decoded, path: string): Decoded | undefined {
  if (!path.startsWith('.')) return undefined;
  let current: Decoded | undefined = schema;
  for (const name of path.slice(1).split('.')) current = current?.properties?.[name];
  return current;
}

import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { eachSchema, goPattern, isKnownFormat, type JsonSchema } from '@kubernel/sdk/structural';
import { checkCosts } from './cost.ts';
import { checkDefault } from './default.ts';
import { checkListAndMap } from './list-type.ts';
import { checkRules } from './rules.ts';

/** Schemas of custom resources must be structural (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema). */

type Level = 'root' | 'item' | 'field';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const WHERE: Readonly<Record<Level, string>> = {
  root: 'at the root',
  item: 'for specified array items',
  field: 'for specified object fields',
};
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];
const COMBINERS = ['allOf', 'anyOf', 'oneOf'] as const;

export const isSchema = (value: unknown): value is Decoded => typeof value === 'object' && value !== null && !Array.isArray(value);

export function checkSchema(schema: Decoded, path: FieldPath, errors: FieldErrors, _hasStatus: boolean): void {
  if (schema.nullable) errors.forbidden(path.child('nullable'), 'nullable cannot be true at the root');
  const before = errors.list.length;
  checkNode(schema, path, errors, true);
  checkCosts(schema, path, errors);
  checkStructure(schema, 'root', path, errors);
  // Upstream asks this of the root alone.
  for (const [nested, at] of combined(schema, path)) checkSpecified(nested, schema, at, path, errors);
  if (errors.list.length === before) visit(schema, path, (node, at) => checkDefault(node, at, errors));
}

/** Formats that nobody checks, each once: a client may have meant another. */
export function unknownFormats(schema: Decoded): string[] {
  const found = new Set<string>();
  eachSchema(schema as JsonSchema, ({ format }) => {
    if (format && !isKnownFormat(format)) found.add(format);
  });
  return [...found].sort();
}

/** Calls back for a schema and all below it, with paths as upstream writes them. */
function visit(schema: Decoded, path: FieldPath, callback: (schema: Decoded, path: FieldPath) => void): void {
  callback(schema, path);
  const go = (value: unknown, at: FieldPath): void => {
    if (isSchema(value)) visit(value, at, callback);
  };
  go(schema.items, path.child('items'));
  go(schema.additionalProperties, path.child('additionalProperties'));
  for (const [name, property] of Object.entries(schema.properties ?? {})) go(property, path.child('properties').key(name));
}

/** What a single schema may say, wherever it stands. */
function checkNode(schema: Decoded, path: FieldPath, errors: FieldErrors, root = false): void {
  checkKeywords(schema, path, errors);
  checkListAndMap(schema, path, errors);
  if (schema.uniqueItems)
    errors.forbidden(path.child('uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic');
  const additional = schema.additionalProperties;
  if (additional !== undefined && additional !== null) {
    if (Object.keys(schema.properties ?? {}).length && (additional === false || isSchema(additional))) {
      errors.forbidden(path.child('additionalProperties'), 'additionalProperties and properties are mutual exclusive');
    }
    if (isSchema(additional)) checkNode(additional, path.child('additionalProperties'), errors);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkNode(property as Decoded, path.child('properties').key(name), errors);
  if (isSchema(schema.not)) checkNode(schema.not, path.child('not'), errors);
  for (const field of COMBINERS) {
    (schema[field] ?? []).forEach((item: Decoded, i: number) => {
      checkNode(item, path.child(field).index(i), errors);
    });
  }
  if (isSchema(schema.items)) checkNode(schema.items, path.child('items'), errors);
  checkRules(schema, path, errors, root || schema['x-kubernetes-embedded-resource'] === true);
}

function checkKeywords(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  for (const field of UNSUPPORTED) {
    const value = schema[field];
    const isThere = typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : !!value;
    if (isThere) errors.forbidden(path.child(field), `${field} is not supported`);
  }
  if (schema.type === 'null') errors.forbidden(path.child('type'), 'type cannot be set to null, use nullable as an alternative');
  if (Array.isArray(schema.items)) errors.forbidden(path.child('items'), 'items must be a schema object and not an array');
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.invalid(path.child('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined');
  if (schema.pattern) checkPattern(schema.pattern, path.child('pattern'), errors);
}

function checkPattern(pattern: string, path: FieldPath, errors: FieldErrors): void {
  try {
    goPattern(pattern);
  } catch {
    // Go's syntax differs in what it lets pass: only what no engine takes is refused.
    if (isHopeless(pattern))
      errors.invalid(path, pattern, `must be a valid regular expression, but isn't: error parsing regexp: ${whyHopeless(pattern)}`);
  }
}

const plain = (pattern: string): string => pattern.replace(/\\./g, '').replace(/\[\^?\]?[^\]]*\]/g, '');
const count = (text: string, char: string): number => text.split(char).length - 1;
const isHopeless = (pattern: string): boolean => whyHopeless(pattern) !== '';

function whyHopeless(pattern: string): string {
  const text = plain(pattern);
  if (text.includes('[')) return `missing closing ]: \`${pattern.slice(pattern.lastIndexOf('['))}\``;
  if (count(text, '(') > count(text, ')')) return `missing closing ): \`${pattern}\``;
  if (count(text, ')') > count(text, '(')) return `unexpected ): \`${pattern}\``;
  if (/^[*+?]/.test(text)) return `missing argument to repetition operator: \`${text[0]}\``;
  return '';
}

/** Every specified field and item has a type; arrays have items. */
function checkStructure(schema: Decoded, level: Level, path: FieldPath, errors: FieldErrors): void {
  if (isSchema(schema.items)) checkStructure(schema.items, 'item', path.child('items'), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkStructure(property as Decoded, 'field', path.child('properties').key(name), errors);
  if (isSchema(schema.additionalProperties))
    checkStructure(schema.additionalProperties, 'field', path.child('additionalProperties'), errors);
  checkCombined(schema, path, errors);
  const { type = '' } = schema;
  const isIntOrString = schema['x-kubernetes-int-or-string'];
  const preserves = schema['x-kubernetes-preserve-unknown-fields'];
  const at = path.child('type');
  if (schema['x-kubernetes-embedded-resource'] && type !== 'object') {
    if (type) errors.invalid(at, type, 'must be object if x-kubernetes-embedded-resource is true');
    else errors.required(at, 'must be object if x-kubernetes-embedded-resource is true');
  } else if (!type && !isIntOrString && !preserves) {
    errors.required(at, `must not be empty ${WHERE[level]}`);
  }
  if (isIntOrString && type) errors.invalid(at, type, 'must be empty if x-kubernetes-int-or-string is true');
  if (type && !TYPES.includes(type)) errors.notSupported(at, type, TYPES);
  else if (level === 'root' && type && type !== 'object') errors.invalid(at, type, 'must be object at the root');
  if (type === 'array' && !isSchema(schema.items)) errors.required(path.child('items'), 'must be specified');
  if (schema['x-kubernetes-embedded-resource'] && !preserves && !Object.keys(schema.properties ?? {}).length) {
    errors.required(
      path.child('properties'),
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
    );
  }
  if (level === 'root') checkRootMetadata(schema, path, errors);
}

function checkRootMetadata(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { metadata } = schema.properties ?? {};
  if (!metadata) return;
  for (const field of Object.keys(metadata)) {
    if (['type', 'properties', 'description', 'required'].includes(field)) continue;
    errors.forbidden(path.child('properties').key('metadata').child(field), 'must not be specified in a nested context');
  }
  for (const name of Object.keys(metadata.properties ?? {})) {
    if (name !== 'name' && name !== 'generateName') {
      errors.forbidden(
        path.child('properties').key('metadata'),
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      );
      return;
    }
  }
}

const EMPTY_FIELDS = ['type', 'title', 'description'];
const UNDEFINED_FIELDS = ['additionalProperties'];
const FALSE_FIELDS = ['nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'];
const EMPTY_EXTENSIONS = ['x-kubernetes-list-map-keys', 'x-kubernetes-validations'];
const UNDEFINED_EXTENSIONS = ['x-kubernetes-list-type', 'x-kubernetes-map-type'];

/** Below allOf, anyOf, oneOf and not, schemas only check values: they do not say what there is. */
function checkCombined(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  const isIntOrString = schema['x-kubernetes-int-or-string'];
  for (const [nested, at, field] of combined(schema, path)) {
    // `anyOf: [{type: integer}, {type: string}]` is how an int-or-string is spelt out.
    if (isIntOrString && (field === 'anyOf' || field === 'allOf') && isIntOrStringList(schema)) continue;
    checkValueSchema(nested, at, errors);
  }
}

const isIntOrStringList = ({ anyOf, allOf }: Decoded): boolean => {
  const list = anyOf ?? allOf?.[0]?.anyOf;
  return Array.isArray(list) && list.length === 2 && list[0]?.type === 'integer' && list[1]?.type === 'string';
};

function combined(schema: Decoded, path: FieldPath): [Decoded, FieldPath, string][] {
  const found: [Decoded, FieldPath, string][] = [];
  for (const field of COMBINERS) {
    (schema[field] ?? []).forEach((item: Decoded, i: number) => {
      found.push([item, path.child(field).index(i), field]);
    });
  }
  if (isSchema(schema.not)) found.push([schema.not, path.child('not'), 'not']);
  return found;
}

function checkValueSchema(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  for (const [nested, at] of combined(schema, path)) checkValueSchema(nested, at, errors);
  if (isSchema(schema.items)) checkValueSchema(schema.items, path.child('items'), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkValueSchema(property as Decoded, path.child('properties').key(name), errors);
  if (schema.default !== undefined) errors.forbidden(path.child('default'), 'must be undefined to be structural');
  for (const field of EMPTY_FIELDS) if (schema[field]) errors.forbidden(path.child(field), 'must be empty to be structural');
  for (const field of UNDEFINED_FIELDS)
    if (schema[field] !== undefined && schema[field] !== null) errors.forbidden(path.child(field), 'must be undefined to be structural');
  for (const field of FALSE_FIELDS) if (schema[field]) errors.forbidden(path.child(field), 'must be false to be structural');
  for (const field of EMPTY_EXTENSIONS) if (schema[field]?.length) errors.forbidden(path.child(field), 'must be empty to be structural');
  for (const field of UNDEFINED_EXTENSIONS)
    if (schema[field] !== undefined && schema[field] !== null) errors.forbidden(path.child(field), 'must be undefined to be structural');
  if (schema.properties?.metadata) errors.forbidden(path.child('properties').key('metadata'), 'must not be specified in a nested context');
}

/** What a combined schema checks is specified outside of it, too. */
function checkSpecified(nested: Decoded, schema: Decoded, at: FieldPath, path: FieldPath, errors: FieldErrors): void {
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const here = at.child('properties').key(name);
    const own = schema.properties?.[name] ?? (isSchema(schema.additionalProperties) ? schema.additionalProperties : undefined);
    if (own) checkSpecified(property as Decoded, own, here, path.child('properties').key(name), errors);
    else if (!schema['x-kubernetes-preserve-unknown-fields'])
      errors.required(path.child('properties').key(name), `because it is defined in ${here}`);
  }
  if (isSchema(nested.items)) {
    if (isSchema(schema.items)) checkSpecified(nested.items, schema.items, at.child('items'), path.child('items'), errors);
    else errors.required(path.child('items'), `because it is defined in ${at.child('items')}`);
  }
  for (const [deeper, deeperPath] of combined(nested, at)) checkSpecified(deeper, schema, deeperPath, path, errors);
}

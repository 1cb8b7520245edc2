import { type FieldErrors, FieldPath } from '../api/field-errors.ts';
import { formatCheck } from './formats.ts';
import { goPattern } from './regexp.ts';
import { isObject, itemsOf, type JsonSchema, valuesOf } from './schema.ts';

/**
 * Validates a value by its schema, in the order and the words of upstream's validator (kube-openapi). On an update `old` is the value
 * before: what did not change is not complained about (validation ratcheting, KEP-4008).
 */
export function validateValue(value: unknown, schema: JsonSchema, errors: FieldErrors, at?: FieldPath, old?: unknown): void {
  const result = validate(value, schema, '', old);
  for (const problem of result.problems) problem(errors, at);
}

/** Whether a value fits a schema. */
export function fits(value: unknown, schema: JsonSchema): boolean {
  return validate(value, schema, '', undefined).problems.length === 0;
}

type Problem = (errors: FieldErrors, at: FieldPath | undefined) => void;

/** `matches` tells which alternative of several came closest. */
class Outcome {
  readonly problems: Problem[] = [];
  matches = 0;

  merge(other: Outcome): void {
    this.problems.push(...other.problems);
    this.matches += other.matches;
  }

  /** A problem of the value at `name`, as most are. */
  at(name: string, report: (errors: FieldErrors, path: FieldPath) => void): void {
    this.problems.push((errors, base) => report(errors, fieldOf(base, name)));
  }

  invalid(name: string, value: unknown, text: string): void {
    this.at(name, (errors, path) => errors.invalid(path, value, `${name} in body ${text}`));
  }

  /** Upstream's validator has problems that are about no field. */
  general(text: string): void {
    this.problems.push((errors, base) => errors.invalid(base ?? NO_FIELD, '', text));
  }
}

const NO_FIELD = FieldPath.of('<nil>');

function fieldOf(base: FieldPath | undefined, name: string): FieldPath {
  const rest = name.startsWith('.') ? name.slice(1) : name;
  if (rest === '') return base ?? NO_FIELD;
  return base ? base.child(rest) : FieldPath.of(rest);
}

function validate(value: unknown, schema: JsonSchema, path: string, old: unknown): Outcome {
  const outcome = new Outcome();
  if (old !== undefined && same(value, old)) return outcome;
  checkType(value, schema, path, outcome);
  if (value === null || value === undefined) {
    checkEnum(value, schema, path, outcome);
    return outcome;
  }
  checkJunctors(value, schema, path, outcome);
  if (typeof value === 'string') checkString(value, schema, path, outcome);
  else if (typeof value === 'number') checkNumber(value, schema, path, outcome);
  else if (Array.isArray(value)) checkList(value, schema, path, outcome, old);
  checkEnum(value, schema, path, outcome);
  if (isObject(value)) checkObject(value, schema, path, outcome, old);
  outcome.matches++;
  return outcome;
}

// ------------------------------------------------------------------------------------------------ types

function typesOf(schema: JsonSchema): string[] {
  if (schema.type) return [schema.type];
  return schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : [];
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType(value: unknown, schema: JsonSchema, path: string, outcome: Outcome): void {
  const types = typesOf(schema);
  if (types.length === 0) return;
  const given = value === null || value === undefined ? 'null' : jsonType(value);
  if (given === 'null') {
    if (!schema.nullable) wrongType(path, types, 'null', outcome);
    return;
  }
  outcome.matches++;
  // Strings with a format are left to the format, unless a number was wanted.
  if (schema.format && typeof value === 'string' && !types.includes('number') && !types.includes('integer')) return;
  if (types.includes(given) || (given === 'integer' && types.includes('number'))) return;
  wrongType(path, types, given, outcome);
}

function wrongType(path: string, types: readonly string[], given: string, outcome: Outcome): void {
  const text = `${path} in body must be of type ${types.join(',')}: ${JSON.stringify(given)}`;
  outcome.at(path, (errors, at) => errors.typeInvalid(at, given, text));
}

// ------------------------------------------------------------------------------------------------ anyOf, oneOf, allOf, not

function checkJunctors(value: unknown, schema: JsonSchema, path: string, outcome: Outcome): void {
  const { anyOf, oneOf, allOf, not } = schema;
  const try1 = (inner: JsonSchema): Outcome => validate(value, inner, path, undefined);
  if (anyOf?.length) {
    const tried = anyOf.map(try1);
    const success = tried.find(({ problems }) => problems.length === 0);
    if (success) outcome.matches += success.matches;
    else {
      outcome.general(`${JSON.stringify(path)} must validate at least one schema (anyOf)`);
      outcome.merge(closest(tried));
    }
  }
  if (oneOf?.length) {
    const tried = oneOf.map(try1);
    const valid = tried.filter(({ problems }) => problems.length === 0);
    if (valid.length !== 1) {
      const found = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`;
      outcome.general(`${JSON.stringify(path)} must validate one and only one schema (oneOf). ${found}`);
      if (valid.length === 0) outcome.merge(closest(tried));
    } else outcome.matches += (valid[0] as Outcome).matches;
  }
  if (allOf?.length) {
    const tried = allOf.map(try1);
    const valid = tried.filter(({ problems }) => problems.length === 0).length;
    for (const result of tried) outcome.merge(result);
    if (valid !== tried.length)
      outcome.general(`${JSON.stringify(path)} must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`);
  }
  if (not && try1(not).problems.length === 0) outcome.general(`${JSON.stringify(path)} must not validate the schema (not)`);
  outcome.matches++;
}

/** The alternative with the most that fits; the first of several. */
function closest(tried: readonly Outcome[]): Outcome {
  return tried.reduce((best, other) => (other.matches > best.matches ? other : best));
}

// ------------------------------------------------------------------------------------------------ values

function checkString(value: string, schema: JsonSchema, path: string, outcome: Outcome): void {
  const { maxLength, minLength, pattern, format } = schema;
  // Of the lengths and the pattern upstream names the first that is wrong.
  const length = maxLength !== undefined || minLength !== undefined ? characters(value) : 0;
  if (maxLength !== undefined && length > maxLength) outcome.at(path, (errors, at) => errors.tooLong(at, maxLength));
  else if (minLength !== undefined && length < minLength) outcome.invalid(path, value, `should be at least ${minLength} chars long`);
  else if (pattern && !matchesPattern(pattern, value)) outcome.invalid(path, value, `should match '${pattern}'`);
  else outcome.matches++;
  const check = format ? formatCheck(format) : undefined;
  if (!check) return;
  if (check(value)) outcome.matches++;
  else {
    const text = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`;
    outcome.at(path, (errors, at) => errors.typeInvalid(at, value, text));
  }
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function matchesPattern(pattern: string, value: string): boolean {
  try {
    return goPattern(pattern).test(value);
  } catch {
    return false;
  }
}

const MAX_INT32 = 2 ** 31 - 1;

function checkNumber(value: number, schema: JsonSchema, path: string, outcome: Outcome): void {
  const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum, type, format } = schema;
  if (type === 'integer') {
    const narrow = format === 'int32' && (value > MAX_INT32 || value < -MAX_INT32 - 1);
    if (!Number.isInteger(value) || narrow)
      outcome.general(`Checked value must be of type integer ${format ? `with format ${format}` : '(default format)'} in ${path}`);
  }
  // Integers are compared with the integral part of a bound.
  const bound = (limit: number): number => (Number.isInteger(value) ? Math.trunc(limit) : limit);
  if (multipleOf !== undefined) {
    const factor = bound(multipleOf);
    if (factor !== 0 && !Number.isInteger(value / factor)) outcome.invalid(path, value, `should be a multiple of ${factor}`);
  }
  if (minimum !== undefined) {
    const limit = bound(minimum);
    if (exclusiveMinimum ? value <= limit : value < limit)
      outcome.invalid(path, value, `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${limit}`);
  }
  if (maximum !== undefined) {
    const limit = bound(maximum);
    if (exclusiveMaximum ? value >= limit : value > limit)
      outcome.invalid(path, value, `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${limit}`);
  }
  outcome.matches++;
}

function checkEnum(value: unknown, schema: JsonSchema, path: string, outcome: Outcome): void {
  const allowed = schema.enum;
  if (!allowed || allowed.length === 0) return;
  if (allowed.some((one) => same(one, value))) {
    outcome.matches++;
    return;
  }
  const texts = allowed.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  outcome.at(path, (errors, at) => errors.notSupported(at, value, texts));
}

// ------------------------------------------------------------------------------------------------ containers

function checkList(value: readonly unknown[], schema: JsonSchema, path: string, outcome: Outcome, old: unknown): void {
  const items = itemsOf(schema);
  if (items) {
    const before = correlate(schema, old);
    for (let index = 0; index < value.length; index++)
      outcome.merge(validate(value[index], items, `${path}[${index}]`, before(value[index])));
  }
  const { minItems, maxItems, uniqueItems } = schema;
  if (minItems !== undefined && value.length < minItems) outcome.invalid(path, value.length, `should have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems) outcome.at(path, (errors, at) => errors.tooMany(at, value.length, maxItems));
  if (uniqueItems && value.some((item, index) => value.slice(0, index).some((other) => same(item, other))))
    outcome.invalid(path, value, "shouldn't contain duplicates");
  outcome.matches++;
}

/** Finds what an element was before: in lists that are maps, by its keys; others have no before. */
function correlate(schema: JsonSchema, old: unknown): (item: unknown) => unknown {
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map') return () => undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const keyOf = (item: unknown): string => JSON.stringify(keys.map((key) => (isObject(item) ? item[key] : undefined)));
  const byKey = new Map<string, unknown>(old.map((item) => [keyOf(item), item]));
  return (item) => byKey.get(keyOf(item));
}

function checkObject(value: Record<string, unknown>, schema: JsonSchema, path: string, outcome: Outcome, old: unknown): void {
  const { minProperties, maxProperties, required, properties = {}, additionalProperties } = schema;
  const keys = Object.keys(value);
  if (minProperties !== undefined && keys.length < minProperties) {
    outcome.invalid(path, keys.length, `should have at least ${minProperties} properties`);
    return;
  }
  if (maxProperties !== undefined && keys.length > maxProperties) {
    outcome.at(path, (errors, at) => errors.tooMany(at, keys.length, maxProperties));
    return;
  }
  const before = isObject(old) ? old : undefined;
  const inner = valuesOf(schema);
  if (inner || additionalProperties === false) {
    for (const key of keys) {
      if (Object.hasOwn(properties, key)) continue;
      if (inner) outcome.merge(validate(value[key], inner, `${path}.${key}`, before?.[key]));
      else outcome.invalid(path, '', `is a forbidden property`);
    }
  }
  for (const [name, property] of Object.entries(properties)) {
    if (Object.hasOwn(value, name)) outcome.merge(validate(value[name], property, path ? `${path}.${name}` : name, before?.[name]));
  }
  for (const name of required ?? []) {
    if (!Object.hasOwn(value, name)) outcome.at(`${path}.${name}`, (errors, at) => errors.required(at));
  }
  outcome.matches++;
}

/** Equality of JSON values; the order of keys does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

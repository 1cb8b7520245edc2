import type { FieldErrors } from '../api/field-errors.ts';
import { FieldPath, OMIT_VALUE } from '../api/field-errors.ts';
import { celOptional } from '../cel/engine.ts';
import type { CelProgram } from '../cel/environment.ts';
import { celEnvironment, celErrorText, compileCel } from '../cel/environment.ts';
import { celValue } from '../cel/values.ts';
import { isObject, itemsOf, type JsonSchema, propertyOf, type ValidationRule, valuesOf } from './schema.ts';
import { same } from './validate.ts';

/** Whether a schema has CEL rules anywhere. */
export function hasRules(schema: JsonSchema | undefined): boolean {
  if (!schema) return false;
  if (schema['x-kubernetes-validations']?.length) return true;
  return hasRules(itemsOf(schema)) || hasRules(valuesOf(schema)) || Object.values(schema.properties ?? {}).some(hasRules);
}

/**
 * Runs the CEL rules of a schema (`x-kubernetes-validations`). `old` is the value before an update; rules that look at it run only where
 * there is one, and what did not change is not complained about. `root`: the value is a whole resource.
 */
export function validateRules(
  value: unknown,
  schema: JsonSchema | undefined,
  errors: FieldErrors,
  at?: FieldPath,
  old?: unknown,
  root = false,
): void {
  if (!schema || value === null || value === undefined || !rulesBelow(schema)) return;
  const unchanged = old !== undefined && same(value, old);
  if (unchanged) return;
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length > 0) runRules(rules, { value, old, schema, errors, at, root });
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    const before = correlated(schema, old);
    if (items)
      for (const [index, item] of value.entries()) validateRules(item, items, errors, (at ?? FieldPath.of()).index(index), before(item));
    return;
  }
  if (!isObject(value)) return;
  const values = valuesOf(schema);
  const previous = isObject(old) ? old : undefined;
  for (const [key, item] of Object.entries(value)) {
    const property = propertyOf(schema, key);
    if (property) validateRules(item, property, errors, at ? at.child(key) : FieldPath.of(key), previous?.[key]);
    else if (values) validateRules(item, values, errors, (at ?? FieldPath.of()).key(key), previous?.[key]);
  }
}

const below = new WeakMap<JsonSchema, boolean>();

function rulesBelow(schema: JsonSchema): boolean {
  let known = below.get(schema);
  if (known === undefined) below.set(schema, (known = hasRules(schema)));
  return known;
}

function correlated(schema: JsonSchema, old: unknown): (item: unknown) => unknown {
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map') return () => undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  return (item) => old.find((other) => isObject(item) && isObject(other) && keys.every((key) => same(item[key], other[key])));
}

// ------------------------------------------------------------------------------------------------ one rule

interface Compiled {
  usesOld: boolean;
  run?: CelProgram;
  message?: CelProgram;
  broken?: unknown;
}

const programs = new WeakMap<ValidationRule, Compiled>();

function compiled(rule: ValidationRule): Compiled {
  let known = programs.get(rule);
  if (!known) {
    const usesOld = /\boldSelf\b/.test(rule.rule);
    const environment = celEnvironment({ self: 'dyn', oldSelf: rule.optionalOldSelf ? 'optional<dyn>' : 'dyn' });
    known = { usesOld };
    try {
      known.run = compileCel(rule.rule, environment);
      if (rule.messageExpression) known.message = compileCel(rule.messageExpression, environment);
    } catch (error) {
      known.broken = error;
    }
    programs.set(rule, known);
  }
  return known;
}

interface Subject {
  value: unknown;
  old: unknown;
  schema: JsonSchema;
  errors: FieldErrors;
  at: FieldPath | undefined;
  root: boolean;
}

function runRules(rules: readonly ValidationRule[], subject: Subject): void {
  const { value, old, schema, errors, root } = subject;
  const path = subject.at ?? NO_FIELD;
  const self = celValue(value, schema, root);
  const before = old === undefined ? undefined : celValue(old, schema, root);
  for (const rule of rules) {
    const { usesOld, run, message, broken } = compiled(rule);
    if (usesOld && before === undefined && !rule.optionalOldSelf) continue;
    const variables = { self, oldSelf: rule.optionalOldSelf ? celOptional(before) : before };
    const name = rule.message?.trim() || rule.rule.trim();
    if (!run) {
      errors.invalid(path, typeName(value, schema), `rule compile error: ${celErrorText(broken)}`);
      continue;
    }
    try {
      if (run(variables) === true) continue;
    } catch (error) {
      const why = celErrorText(error);
      const text = why.startsWith('no such overload')
        ? `'${why}': call arguments did not match a supported operator, function or macro signature for rule: ${name}`
        : `${why} evaluating rule: ${name}`;
      errors.invalid(path, typeName(value, schema), text);
      continue;
    }
    report(rule, detailOf(rule, message, variables), subject, path);
  }
}

const NO_FIELD = FieldPath.of('<nil>');

function typeName(value: unknown, schema: JsonSchema): string {
  return schema.type ?? (Array.isArray(value) ? 'array' : typeof value);
}

function detailOf(rule: ValidationRule, message: CelProgram | undefined, variables: Readonly<Record<string, unknown>>): string {
  if (message) {
    try {
      const text = message(variables);
      if (typeof text === 'string' && text.trim() !== '' && !/[\n\r]/.test(text)) return text.trim();
    } catch {
      // A message that cannot be made leaves the fixed one.
    }
  }
  return rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
}

function report(rule: ValidationRule, detail: string, { value, errors, at }: Subject, path: FieldPath): void {
  const where = rule.fieldPath ? along(at, rule.fieldPath) : path;
  const shown = typeof value === 'object' || rule.fieldPath ? OMIT_VALUE : value;
  if (rule.reason === 'FieldValueForbidden') errors.forbidden(where, detail);
  else if (rule.reason === 'FieldValueRequired') errors.required(where, detail);
  else if (rule.reason === 'FieldValueDuplicate') errors.duplicate(where, shown);
  else errors.invalid(where, shown, detail);
}

/** `.spec.a` or `['a']` below a field. */
function along(at: FieldPath | undefined, path: string): FieldPath {
  let field = at;
  for (const [, plain, quoted] of path.matchAll(/\.([A-Za-z_][A-Za-z0-9_]*)|\['((?:[^'\\]|\\.)*)'\]/g)) {
    const name = plain ?? (quoted as string);
    if (plain) field = field ? field.child(name) : FieldPath.of(name);
    else field = (field ?? FieldPath.of()).key(name);
  }
  return field ?? NO_FIELD;
}

/** Is an applied configuration of its type? In the words of upstream's typed converter. */

import { printElement } from './field-set.ts';
import { isObject } from './json-object.ts';
import type { KeyedShape, LeafShape, SetShape, Shape, StructShape } from './shape.ts';
import { elementPath } from './shape.ts';

/** Undefined when it is; all reasons as one text when it is not. */
export function misfits(shape: StructShape, value: unknown): string | undefined {
  const errors: string[] = [];
  check(shape, value, '', errors);
  if (errors.length === 0) return undefined;
  return errors.length === 1 ? errors[0] : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
}

function check(shape: Shape, value: unknown, path: string, errors: string[]): void {
  if (value === null || value === undefined || shape.kind === 'deduced') return;
  const fail = (why: string): unknown => errors.push(`${path}: ${why}`);
  if (shape.kind === 'leaf') {
    const why = scalarMisfit(shape.scalar, value);
    if (why) fail(why);
  } else if (shape.kind === 'struct' || shape.kind === 'map') {
    if (!isObject(value)) return void fail(`expected map, got &{${goValue(value)}}`);
    for (const key of Object.keys(value)) {
      if (shape.kind === 'map') {
        check(shape.of, value[key], `${path}.${key}`, errors);
        continue;
      }
      const field = shape.byName.get(key);
      if (field) check(field.shape, value[key], `${path}.${key}`, errors);
      else if (!shape.open) errors.push(`${path}.${key}: field not declared in schema`);
    }
  } else {
    if (!Array.isArray(value)) return void fail(`expected list, got &{${goValue(value)}}`);
    checkList(shape, value, path, errors);
  }
}

function checkList(shape: KeyedShape | SetShape, list: unknown[], path: string, errors: string[]): void {
  const seen = new Set<string>();
  list.forEach((item, index) => {
    if (shape.atomic) {
      check(shape.of, item, `${path}[${index}]`, errors);
      return;
    }
    if (shape.kind === 'keyed' && !isObject(item)) {
      errors.push(`${path}: element ${index}: associative list with keys may not have non-map elements`);
      return;
    }
    const element = elementPath(shape, item);
    if (element === 'k:{}') {
      const keys = (shape as KeyedShape).keys.map(({ name }) => JSON.stringify(name)).join(' ');
      errors.push(
        `${path}: element ${index}: associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`,
      );
      return;
    }
    if (seen.has(element)) errors.push(`${path}: duplicate entries for key ${printElement(element)}`);
    seen.add(element);
    check(shape.of, item, path + printElement(element), errors);
  });
}

function scalarMisfit(scalar: LeafShape['scalar'], value: unknown): string | undefined {
  const sharp = (): string => `&value.valueUnstructured{Value:${goSyntax(value)}}`;
  if (scalar === 'string' && typeof value !== 'string') return `expected string, got ${sharp()}`;
  if (scalar === 'boolean' && typeof value !== 'boolean') return `expected boolean, got ${sharp()}`;
  if (scalar === 'numeric' && typeof value !== 'number') return 'expected numeric (int or float), got *value.valueUnstructured';
  return undefined;
}

/** Go's `%v`. */
function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (isObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goValue(value[key])}`)
      .join(' ')}]`;
  return value === null ? '<nil>' : String(value);
}

/** Go's `%#v`. */
function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isObject(value))
    return `map[string]interface {}{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`)
      .join(', ')}}`;
  return value === null ? 'interface {}(nil)' : JSON.stringify(value);
}

/** Walks over values and their shape that yield sets of paths. */
import type { FieldSet } from './field-set.ts';
import { isEmptySet, MEMBER } from './field-set.ts';
import type { JsonObject } from './json-object.ts';
import { getOwn, isObject, sameJson } from './json-object.ts';
import type { KeyedShape, MapShape, SetShape, Shape, StructShape } from './shape.ts';
import { concrete, elementPath, memberOf } from './shape.ts';

/** What `to` has that `from` has not, or has with another value. Both are of the shape; undefined: nothing. */
export function added(shape: StructShape, from: unknown, to: unknown): FieldSet {
  return diff(shape, from, to, false) ?? {};
}
export function addedOrModified(shape: StructShape, from: unknown, to: unknown): FieldSet {
  return diff(shape, from, to, true) ?? {};
}

/** `undefined` is a value that is not there; null is there. The result is a node: an empty object means the path itself. */
function diff(given: Shape, from: unknown, to: unknown, modified: boolean): FieldSet | undefined {
  if (to === undefined || from === to) return undefined;
  const shape = concrete(given, from, to);
  // Two empty values are compared as wholes, so that null and {} stay apart.
  if (shape.atomic || (isNothing(from) && isNothing(to))) {
    return from === undefined || (modified && !sameJson(from, to)) ? MEMBER : undefined;
  }
  const node: Record<string, FieldSet> = {};
  if (from === undefined) node['.'] = MEMBER;
  if (shape.kind === 'struct' || shape.kind === 'map') diffObject(shape, from, to, modified, node);
  else diffList(shape, from, to, modified, node);
  return isEmptySet(node) ? undefined : node;
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

function diffObject(shape: StructShape | MapShape, from: unknown, to: unknown, modified: boolean, node: Record<string, FieldSet>): void {
  if (!isObject(to)) return;
  const before = isObject(from) ? from : undefined;
  if (shape.kind === 'struct') {
    for (const field of shape.fields) {
      const value = to[field.name];
      if (value === undefined) continue;
      const child = diff(field.shape, before?.[field.name], value, modified);
      if (child) node[field.path] = child;
    }
    if (!shape.open) return;
  }
  const keys = Object.keys(to);
  if (keys.length > 1) keys.sort();
  for (const key of keys) {
    if (shape.kind === 'struct' && shape.byName.has(key)) continue;
    const child = diff(memberOf(shape), before && getOwn(before, key), to[key], modified);
    if (child) node[`f:${key}`] = child;
  }
}

function diffList(shape: KeyedShape | SetShape, from: unknown, to: unknown, modified: boolean, node: Record<string, FieldSet>): void {
  if (!Array.isArray(to)) return;
  const before = groupByPath(shape, Array.isArray(from) ? from : []);
  const after = groupByPath(shape, to);
  const paths = [...after.keys()];
  if (paths.length > 1) paths.sort();
  for (const path of paths) {
    const items = after.get(path) as unknown[];
    const old = before.get(path) ?? [];
    let child: FieldSet | undefined;
    if (items.length === 1 && old.length <= 1) child = diff(shape.of, old[0], items[0], modified);
    // Elements with the same key are owned together, as one value.
    else if (old.length === 0 || (modified && !sameJson(old, items))) child = MEMBER;
    if (child) node[path] = child;
  }
}

export function groupByPath(shape: KeyedShape | SetShape, list: readonly unknown[]): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const item of list) {
    const path = elementPath(shape, item);
    const group = groups.get(path);
    if (group) group.push(item);
    else groups.set(path, [item]);
  }
  return groups;
}

/** The paths an applied configuration claims. Structs and lists themselves are not claimed; elements and map entries are. */
export function fieldSetOf(shape: StructShape, value: unknown): FieldSet {
  return claim(shape, value) ?? {};
}

function claim(given: Shape, value: unknown): FieldSet | undefined {
  const shape = concrete(given, value);
  if (shape.atomic) return MEMBER;
  const node: Record<string, FieldSet> = {};
  if (shape.kind === 'struct' || shape.kind === 'map') {
    if (isObject(value)) claimObject(shape, value, node);
  } else if (Array.isArray(value)) {
    for (const [path, items] of groupByPath(shape, value)) {
      const child = items.length === 1 ? claim(shape.of, items[0]) : undefined;
      node[path] = child && !isEmptySet(child) ? { '.': MEMBER, ...child } : MEMBER;
    }
  }
  return isEmptySet(node) ? undefined : node;
}

function claimObject(shape: StructShape | MapShape, value: JsonObject, node: Record<string, FieldSet>): void {
  for (const key of Object.keys(value)) {
    const item = value[key];
    const field = shape.kind === 'struct' ? shape.byName.get(key) : undefined;
    const child = claim(field?.shape ?? memberOf(shape), item);
    const itself = item === null || (isObject(item) && isEmptySet(item as unknown as FieldSet)) || !field;
    if (child && !isEmptySet(child)) node[`f:${key}`] = itself ? { '.': MEMBER, ...child } : child;
    else if (child || itself) node[`f:${key}`] = MEMBER;
  }
}

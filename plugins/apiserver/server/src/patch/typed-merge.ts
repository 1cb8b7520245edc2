/** Merging an applied configuration into an object, and taking out what nobody applies any more. */
import type { FieldSet } from './field-set.ts';
import { isEmptySet, isMember } from './field-set.ts';
import type { JsonObject } from './json-object.ts';
import { getOwn, isObject, setOwn } from './json-object.ts';
import type { KeyedShape, MapShape, SetShape, Shape, StructShape } from './shape.ts';
import { concrete, elementPath, memberOf } from './shape.ts';

/** `live` with everything `applied` says. Neither is changed; parts may be shared with both. */
export function merge(given: Shape, live: unknown, applied: unknown): unknown {
  const shape = concrete(given, live, applied);
  if (applied === undefined) return live;
  if (live === undefined || live === null || shape.atomic) return applied;
  if (shape.kind === 'struct' || shape.kind === 'map') {
    if (applied === null) return isObject(live) && Object.keys(live).length > 0 ? live : null;
    if (!isObject(live) || !isObject(applied)) return applied;
    const result: JsonObject = { ...live };
    for (const key of Object.keys(applied)) setOwn(result, key, merge(memberShape(shape, key), getOwn(live, key), applied[key]));
    return result;
  }
  if (applied === null) return Array.isArray(live) && live.length > 0 ? live : null;
  return Array.isArray(live) && Array.isArray(applied) ? mergeList(shape, live, applied) : applied;
}

function memberShape(shape: StructShape | MapShape, key: string): Shape {
  return shape.kind === 'map' ? shape.of : (shape.byName.get(key)?.shape ?? memberOf(shape));
}

/**
 * Applied elements in their own order, live ones in theirs; an element of both stands where the applied list wants it
 * among the shared ones, and what is only live keeps its place relative to its neighbours.
 */
function mergeList(shape: KeyedShape | SetShape, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const livePaths = live.map((item) => elementPath(shape, item));
  const appliedPaths = applied.map((item) => elementPath(shape, item));
  const liveByPath = new Map<string, unknown>();
  // Duplicates have no single element to merge with.
  for (const [index, path] of livePaths.entries()) liveByPath.set(path, liveByPath.has(path) ? undefined : live[index]);
  const appliedByPath = new Map(appliedPaths.map((path, index) => [path, applied[index]]));
  const shared = appliedPaths.filter((path) => liveByPath.has(path));
  const merged = new Set<string>();
  const result: unknown[] = [];
  let next = 0;
  for (let l = 0, a = 0; l < live.length || a < applied.length; ) {
    const path = livePaths[l];
    if (path !== undefined && a < applied.length) {
      if (path === appliedPaths[a]) {
        merged.add(path);
        result.push(merge(shape.of, liveByPath.get(path), appliedByPath.get(path)));
        l++;
        a++;
        next++;
        continue;
      }
      if (appliedByPath.has(path) && next < shared.length && shared[next] !== path) {
        l++;
        continue;
      }
    }
    if (path !== undefined) {
      if (!appliedByPath.has(path)) {
        result.push(live[l]);
        l++;
        continue;
      }
      if (merged.has(path)) l++;
    }
    const own = appliedPaths[a];
    if (own !== undefined) {
      merged.add(own);
      result.push(merge(shape.of, liveByPath.get(own), appliedByPath.get(own)));
      a++;
      if (shared[next] === own) next++;
    }
  }
  return result;
}

/** The value without the paths of the set and everything below them. What is emptied by that becomes null. */
export function withoutPaths(given: Shape, value: unknown, paths: FieldSet): unknown {
  const shape = concrete(given, value);
  if (shape.atomic || isEmptySet(paths)) return value;
  if (shape.kind === 'struct' || shape.kind === 'map') {
    if (!isObject(value) || Object.keys(value).length === 0) return value;
    const result: JsonObject = {};
    for (const key of Object.keys(value)) {
      const node = paths[`f:${key}`];
      if (isMember(node)) continue;
      setOwn(result, key, node ? withoutPaths(memberShape(shape, key), value[key], node) : value[key]);
    }
    return Object.keys(result).length > 0 ? result : null;
  }
  if (!Array.isArray(value) || value.length === 0) return value;
  const result: unknown[] = [];
  for (const item of value) {
    const node = paths[elementPath(shape, item)];
    if (!isMember(node)) result.push(node ? withoutPaths(shape.of, item, node) : item);
  }
  return result.length > 0 ? result : null;
}

/** The set plus every struct field that leads to one of its paths: fields are never dangling, elements and map entries can be. */
export function withStructFields(shape: Shape, set: FieldSet): FieldSet {
  if (shape.atomic || isEmptySet(set)) return set;
  const result: Record<string, FieldSet> = {};
  for (const key in set) {
    const node = set[key] as FieldSet;
    if (key === '.') {
      result[key] = node;
      continue;
    }
    const field = shape.kind === 'struct' ? shape.byName.get(key.slice(2)) : undefined;
    const inner = field?.shape ?? ('of' in shape ? shape.of : shape.kind === 'struct' ? memberOf(shape) : shape);
    const child = withStructFields(inner, node);
    result[key] = field && !isEmptySet(child) && !('.' in child) ? { '.': {}, ...child } : child;
  }
  return result;
}

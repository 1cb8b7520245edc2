/**
 * Strategic merge patch: a merge patch that knows from the type which lists are merged and by which key.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ and the directives of
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
import type { FieldSchema, TypeRef, TypeSchema } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import { badRequest, unsupportedMediaType } from '../status.ts';
import type { JsonObject } from './json-object.ts';
import { getOwn, goPrint, isObject, setOwn } from './json-object.ts';
import { goKind, parsePatch } from './parse-patch.ts';
import type { Types } from './types.ts';
import { schemaOf, typeNamed } from './types.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PREFIX = '$deleteFromPrimitiveList/';
const ORDER_PREFIX = '$setElementOrder/';

/** Changes `document` in place and returns the result. Throws StatusErrors worded as upstream words them. */
export function applyStrategicPatch(
  types: Types,
  type: string,
  document: JsonObject,
  text: string,
): { value: unknown; problems: string[]; patch: JsonObject } {
  const schema = typeNamed(types, type);
  if (!schema || schema.preserveUnknown) {
    throw unsupportedMediaType(['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']);
  }
  const { value: patch, duplicates } = parsePatch(text, '');
  if (patch !== null && !isObject(patch))
    throw badRequest(`json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`);
  const value = mergeMap(types, document, structuredClone(patch ?? {}), schema);
  return { value, problems: duplicates, patch: patch ?? {} };
}

/** What upstream does not foresee becomes a 500 without a reason. */
function unforeseen(message: string): StatusError {
  return new StatusError(500, '', message);
}

function wrongArgument(wanted: string, value: unknown): StatusError {
  const kind =
    { object: 'map[string]interface {}', array: '[]interface {}', number: 'int64', null: '<nil>' }[goKind(value)] ?? goKind(value);
  return unforeseen(`expected a ${wanted}, but received a ${kind}`);
}

function mergeMap(types: Types, original: JsonObject, patch: JsonObject, schema: TypeSchema | undefined): JsonObject {
  const directive = getOwn(patch, DIRECTIVE);
  if (directive !== undefined) {
    if (directive === 'replace') {
      delete patch[DIRECTIVE];
      return patch;
    }
    if (directive === 'delete') return {};
    throw unforeseen(`unknown patch type: ${goPrint(directive)} in map: ${goPrint(patch)}`);
  }
  retainKeys(original, patch);
  orderElements(types, original, patch, schema);

  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (key.startsWith(DELETE_PREFIX)) {
      const name = key.slice(DELETE_PREFIX.length);
      const list = getOwn(original, name);
      if (Array.isArray(list) && Array.isArray(value))
        setOwn(
          original,
          name,
          list.filter((item) => !value.includes(item)),
        );
      continue;
    }
    if (value === null) {
      delete original[key];
      continue;
    }
    const current = getOwn(original, key);
    if (current === undefined || goKind(current) !== goKind(value)) {
      const clean = withoutDirectives(withoutNulls(value));
      if (clean === undefined) delete original[key];
      else setOwn(original, key, clean);
      continue;
    }
    const field = schema?.fields.get(key);
    if (isObject(value)) {
      const strategy = strategyOf(field);
      setOwn(
        original,
        key,
        strategy === 'replace' ? value : mergeMap(types, current as JsonObject, value, field && schemaOf(types, field.type)),
      );
    } else if (Array.isArray(value)) {
      setOwn(original, key, mergeList(types, current as unknown[], value, field));
    } else {
      setOwn(original, key, value);
    }
  }
  return original;
}

function strategyOf(field: FieldSchema | undefined): string {
  return field?.patchStrategy?.find((strategy) => strategy !== 'retainKeys') ?? '';
}

function elementOf(types: Types, field: FieldSchema | undefined): TypeSchema | undefined {
  const type: TypeRef | undefined = field?.type;
  return type?.kind === 'list' ? schemaOf(types, type.of) : undefined;
}

/** `$retainKeys: [a, b]` empties the object of everything else; the patch may hold nothing else either. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  const list = getOwn(patch, RETAIN_KEYS);
  if (list === undefined) return;
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(list)) throw badRequest('invalid patch format of retainKeys');
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX)) continue;
    if (!list.includes(key)) throw badRequest('invalid patch format of retainKeys');
  }
  for (const key of Object.keys(original)) if (!list.includes(key)) delete original[key];
}

/** Carries out each `$setElementOrder/<list>` together with the list's own patch, and takes both out of the patch. */
function orderElements(types: Types, original: JsonObject, patch: JsonObject, schema: TypeSchema | undefined): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER_PREFIX)) continue;
    const order = patch[key];
    delete patch[key];
    if (!Array.isArray(order)) throw wrongArgument('[]interface {}', order);
    const name = key.slice(ORDER_PREFIX.length);
    const [live, list] = [getOwn(original, name), getOwn(patch, name)];
    if (live !== undefined && !Array.isArray(live)) throw wrongArgument('[]interface {}', live);
    if (list !== undefined && !Array.isArray(list)) throw wrongArgument('[]interface {}', list);
    const field = schema?.fields.get(name);
    const mergeKey = field?.patchMergeKey ?? '';
    checkOrder(list ?? [], order, mergeKey);
    let merged: unknown[];
    if (live && list) merged = mergeList(types, [...live], list, field);
    else if (list) merged = (withoutDirectives(list) ?? []) as unknown[];
    else if (live) merged = live;
    else continue;
    const kind = elementKind(live ?? [], list ?? []);
    const [wanted, others] = partition(merged, order, mergeKey);
    setOwn(original, name, inOrder(wanted, others, order, live ?? [], mergeKey, kind));
    delete patch[name];
  }
}

/** Every element of the patch list must stand in the order list, in the same sequence. */
function checkOrder(list: unknown[], order: unknown[], mergeKey: string): void {
  const elements = mergeKey === '' ? list : list.filter((item) => !isObject(item) || getOwn(item, DIRECTIVE) !== 'delete');
  let at = 0;
  for (let i = 0; at < elements.length && i < order.length; i++) {
    if (sameElement(elements[at], order[i], mergeKey)) at++;
  }
  if (at < elements.length) {
    throw unforeseen(`The order in patch list:\n${goPrint(list)}\n doesn't match $setElementOrder list:\n${goPrint(order)}\n`);
  }
}

function sameElement(a: unknown, b: unknown, mergeKey: string): boolean {
  if (mergeKey === '') return a === b;
  return isObject(a) && isObject(b) && getOwn(a, mergeKey) === getOwn(b, mergeKey);
}

function mergeList(types: Types, original: unknown[], patch: unknown[], field: FieldSchema | undefined): unknown[] {
  if (strategyOf(field) !== 'merge') return patch;
  if (original.length === 0 && patch.length === 0) return original;
  const kind = elementKind(original, patch);
  const mergeKey = field?.patchMergeKey ?? '';
  if (kind !== 'object') {
    const merged = [...new Set([...original, ...patch])];
    const [wanted, others] = partition(merged, patch, '');
    return inOrder(wanted, others, patch, original, '', kind);
  }
  if (mergeKey === '') throw unforeseen(`cannot merge lists without merge key for ${field?.goType ?? ''}`);
  const [live, changes] = applyElementDirectives(original as JsonObject[], patch as JsonObject[], mergeKey);
  const element = elementOf(types, field);
  const merged = [...live];
  for (const change of changes) {
    if (!Object.hasOwn(change, mergeKey)) throw noMergeKey(change, mergeKey);
    const index = merged.findIndex((item) => getOwn(item, mergeKey) === change[mergeKey]);
    if (index >= 0) merged[index] = mergeMap(types, merged[index] as JsonObject, change, element);
    else merged.push(withoutDirectives(change) as JsonObject);
  }
  const [wanted, others] = partition(merged, changes, mergeKey);
  return inOrder(wanted, others, changes, live, mergeKey, kind);
}

function noMergeKey(item: JsonObject, mergeKey: string): StatusError {
  return unforeseen(`map: ${goPrint(item)} does not contain declared merge key: ${mergeKey}`);
}

/** `$patch` in list elements: `delete` removes the element with that key, `replace` makes the patch the whole list. */
function applyElementDirectives(original: JsonObject[], patch: JsonObject[], mergeKey: string): [JsonObject[], JsonObject[]] {
  const plain: JsonObject[] = [];
  let live = original;
  let replace = false;
  for (const item of patch) {
    const directive = getOwn(item, DIRECTIVE);
    if (directive === undefined) {
      plain.push(item);
    } else if (directive === 'delete') {
      if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
      live = live.filter((one) => getOwn(one, mergeKey) !== item[mergeKey]);
    } else if (directive === 'replace') {
      replace = true;
    } else if (directive === 'merge') {
      throw unforeseen('merging lists cannot yet be specified in the patch');
    } else {
      throw unforeseen(`unknown patch type: ${goPrint(directive)} in map: ${goPrint(item)}`);
    }
  }
  return replace ? [plain, []] : [live, plain];
}

/** All elements of both lists must be of one kind, and not lists. */
function elementKind(original: unknown[], patch: unknown[]): string {
  let kind: string | undefined;
  for (const item of [...original, ...patch]) {
    const own = goKind(item);
    if (kind === undefined) {
      if (own === 'array') throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
      kind = own;
    } else if (kind !== own) {
      throw unforeseen(`list element types are not identical: ${goPrint([original, patch])}`);
    }
  }
  if (kind === undefined) throw unforeseen('no elements in any of the given slices');
  return kind;
}

function partition(items: unknown[], present: unknown[], mergeKey: string): [unknown[], unknown[]] {
  const isPresent = (item: unknown): boolean => present.some((one) => sameElement(item, one, mergeKey));
  return [items.filter(isPresent), items.filter((item) => !isPresent(item))];
}

/**
 * The patch's elements in the patch's order and the server's others in the live order, interleaved: another stands
 * before the first patched element that comes after it in the live list.
 */
function inOrder(wanted: unknown[], others: unknown[], order: unknown[], live: unknown[], mergeKey: string, kind: string): unknown[] {
  const key = kind === 'object' ? mergeKey : '';
  const place = (list: unknown[], item: unknown): number => list.findIndex((one) => sameElement(one, item, key));
  const left = sortedBy(others, (item) => place(live, item));
  const right = sortedBy(wanted, (item) => place(order, item));
  const result: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [a, b] = [place(live, left[i]), place(live, right[j])];
    result.push(a >= 0 && b >= 0 && a < b ? left[i++] : right[j++]);
  }
  return [...result, ...left.slice(i), ...right.slice(j)];
}

function sortedBy(items: unknown[], rank: (item: unknown) => number): unknown[] {
  return items
    .map((item) => [rank(item), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** A value that is new to the object: null entries of its objects mean nothing there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) for (const item of value) withoutNulls(item);
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (item === null) delete value[key];
      else withoutNulls(item);
    }
  }
  return value;
}

/** A value that is new to the object: elements that carry a directive have nothing to act on. Undefined: nothing is left. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const clean = withoutDirectives(item);
    if (clean === undefined) delete value[key];
    else setOwn(value, key, clean);
  }
  return value;
}

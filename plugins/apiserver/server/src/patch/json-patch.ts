/** RFC 6902 as Kubernetes applies it: negative indexes count from the end, `test` of a missing value equals null. */
import { StatusError } from '@kubernel/sdk';
import { badRequest } from '../status.ts';
import type { JsonObject } from './json-object.ts';
import { getOwn, isObject, sameJson, setOwn } from './json-object.ts';
import { goKind, parsePatch } from './parse-patch.ts';

const MAX_OPERATIONS = 10_000;
/** How much all `copy` operations of a patch may add, in bytes of JSON: without a bound, 30 of them make a gigabyte out of a byte. */
const MAX_COPIED_BYTES = 3 << 20;

interface Operation {
  op?: unknown;
  path?: unknown;
  from?: unknown;
  value?: unknown;
}

/** Changes `document` in place and returns it, or what a replaced root made of it. Throws StatusErrors 400, 413, 422. */
export function applyJsonPatch(document: JsonObject, text: string): { value: unknown; problems: string[] } {
  const { value: patch, duplicates } = parsePatch(text, 'error decoding patch: ');
  if (patch !== null && !Array.isArray(patch)) {
    throw badRequest(`error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type []handlers.jsonPatchOp`);
  }
  const operations = (patch ?? []) as unknown[];
  const problems = duplicates.map((problem) => `json patch ${problem}`);
  operations.forEach((operation, index) => {
    if (!isObject(operation)) {
      if (operation === null) return;
      throw badRequest(`error decoding patch: json: cannot unmarshal ${goKind(operation)} into Go value of type handlers.jsonPatchOp`);
    }
    for (const key of ['op', 'path', 'from']) {
      const field = getOwn(operation, key);
      if (field !== undefined && field !== null && typeof field !== 'string') {
        throw badRequest(
          `error decoding patch: json: cannot unmarshal ${goKind(field)} into Go struct field jsonPatchOp.${key} of type string`,
        );
      }
    }
    for (const key of Object.keys(operation)) {
      if (!['op', 'path', 'from', 'value'].includes(key)) problems.push(`json patch unknown field "[${index}].${key}"`);
    }
  });
  if (operations.length > MAX_OPERATIONS) {
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  }
  const root = { '': document as unknown };
  let copied = 0;
  for (const operation of operations) {
    if (!isObject(operation) || !step(root, operation, (bytes) => (copied += bytes) <= MAX_COPIED_BYTES)) throw rejected();
  }
  return { value: root[''], problems };
}

/** Upstream hides why an operation could not be carried out. */
function rejected(): StatusError {
  return new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** False when the operation cannot be carried out. */
function step(root: JsonObject, { op, path, from, value = null }: Operation, mayCopy: (bytes: number) => boolean): boolean {
  if (typeof path !== 'string') return false;
  switch (op) {
    case 'add':
      return add(root, path, value);
    case 'remove':
      return path !== '' && remove(root, path);
    case 'replace':
      if (path === '') {
        if (typeof value !== 'object' || value === null) return false;
        root[''] = value;
        return true;
      }
      return replace(root, path, value);
    case 'test':
      return test(root, path, value);
    case 'move': {
      const found = typeof from === 'string' && from !== '' ? read(root, from) : undefined;
      return found !== undefined && remove(root, from as string) && add(root, path, found.value);
    }
    case 'copy': {
      const found = typeof from === 'string' && from !== '' ? read(root, from, true) : undefined;
      if (found === undefined) return false;
      const json = JSON.stringify(found.value);
      return mayCopy(json.length) && add(root, path, JSON.parse(json));
    }
    default:
      return false;
  }
}

interface Place {
  container: JsonObject | unknown[];
  key: string;
}

/** The container a pointer's last step is looked up in; undefined when it does not exist. */
function placeOf(root: JsonObject, pointer: string): Place | undefined {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((text) => text.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = steps.pop();
  if (key === undefined) return undefined;
  let container: unknown = root[''];
  for (const name of steps) container = member(container, name)?.value;
  return isObject(container) || Array.isArray(container) ? { container, key } : undefined;
}

function member(container: unknown, key: string): { value: unknown } | undefined {
  if (Array.isArray(container)) {
    const index = indexOf(key, container.length);
    return index === undefined ? undefined : { value: container[index] };
  }
  return isObject(container) && Object.hasOwn(container, key) ? { value: container[key] } : undefined;
}

/** An index below `length`, where -1 is the last; undefined when it is none. */
function indexOf(key: string, length: number): number | undefined {
  if (!/^[-+]?\d+$/.test(key)) return undefined;
  const index = Number(key);
  if (index >= length || index < -length) return undefined;
  return index < 0 ? index + length : index;
}

/** `lenient`: a missing key of an object reads as null, as upstream's library has it for `copy`. */
function read(root: JsonObject, pointer: string, lenient = false): { value: unknown } | undefined {
  const place = placeOf(root, pointer);
  if (!place) return undefined;
  return member(place.container, place.key) ?? (lenient && !Array.isArray(place.container) ? { value: null } : undefined);
}

function add(root: JsonObject, pointer: string, value: unknown): boolean {
  const place = placeOf(root, pointer);
  if (!place) return false;
  const { container, key } = place;
  if (!Array.isArray(container)) {
    setOwn(container, key, value);
    return true;
  }
  const index = key === '-' ? container.length : indexOf(key, container.length + 1);
  if (index === undefined) return false;
  container.splice(index, 0, value);
  return true;
}

function remove(root: JsonObject, pointer: string): boolean {
  const place = placeOf(root, pointer);
  if (!place || !member(place.container, place.key)) return false;
  const { container, key } = place;
  if (Array.isArray(container)) container.splice(indexOf(key, container.length) as number, 1);
  else delete container[key];
  return true;
}

/** Of an object a key that is missing may be "replaced", too: upstream's library does not look. */
function replace(root: JsonObject, pointer: string, value: unknown): boolean {
  const place = placeOf(root, pointer);
  if (!place) return false;
  const { container, key } = place;
  if (!Array.isArray(container)) {
    setOwn(container, key, value);
    return true;
  }
  const index = indexOf(key, container.length);
  if (index === undefined) return false;
  container[index] = value;
  return true;
}

function test(root: JsonObject, pointer: string, value: unknown): boolean {
  if (pointer === '') return sameJson(root[''], value);
  const place = placeOf(root, pointer);
  if (!place) return false;
  const { container, key } = place;
  if (Array.isArray(container) && indexOf(key, container.length) === undefined) return false;
  return sameJson(member(container, key)?.value ?? null, value);
}

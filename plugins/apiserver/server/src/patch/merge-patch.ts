/** RFC 7386: null deletes, objects merge, everything else replaces. */
import { badRequest } from '../status.ts';
import type { JsonObject } from './json-object.ts';
import { getOwn, isObject, setOwn } from './json-object.ts';
import { goKind, parsePatch } from './parse-patch.ts';

/** Changes `document` in place. Throws a 400 for what is no merge patch of an object. */
export function applyMergePatch(document: JsonObject, text: string): { value: unknown; problems: string[] } {
  const { value: patch, duplicates } = parsePatch(text, 'error decoding patch: ');
  if (patch === null) throw badRequest('Invalid JSON Patch');
  if (!isObject(patch))
    throw badRequest(`error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`);
  return { value: merge(document, patch), problems: duplicates };
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? target : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete result[key];
    else setOwn(result, key, merge(getOwn(result, key), value));
  }
  return result;
}

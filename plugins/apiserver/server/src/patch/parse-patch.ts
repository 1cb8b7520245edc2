import type { ExactDocument } from '../schema/exact-json.ts';
import { parseExactly } from '../schema/exact-json.ts';
import { MAX_FREE_DEPTH } from '../schema/untyped.ts';
import { badRequest } from '../status.ts';
import { isObject } from './json-object.ts';

const KEY = /"\s*:/g;

/**
 * A patch's text as a value. Throws a 400 in Go's words. Names repeated keys; looking for them precisely is slow, so it is
 * done only for a text in which there are more `":` than keys that were read.
 */
export function parsePatch(text: string, errorPrefix: string): { value: unknown; duplicates: string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest(`${errorPrefix}${goSyntaxError(text)}`);
  }
  const keys = countKeys(value, errorPrefix);
  if ((text.match(KEY)?.length ?? 0) === keys) return { value, duplicates: [] };
  const duplicates: string[] = [];
  collect(parseExactly(text), duplicates);
  return { value, duplicates };
}

function goSyntaxError(text: string): string {
  try {
    parseExactly(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'invalid JSON';
}

/** Throws a 400 for a patch so deep that those who walk it would run out of stack. */
function countKeys(root: unknown, errorPrefix: string): number {
  let count = 0;
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_FREE_DEPTH) throw badRequest(`${errorPrefix}exceeded max depth`);
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
      if (!Array.isArray(value)) count += items.length;
      for (const item of items) next.push(item);
    }
    level = next;
  }
  return count;
}

function collect(document: ExactDocument, duplicates: string[]): void {
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, `${path}[${index}]`);
    } else if (isObject(value)) {
      const seen = new Set<string>();
      for (const key of document.keysOf(value)) {
        const at = path === '' ? key : `${path}.${key}`;
        if (!seen.has(key)) visit(value[key], at);
        else if (!duplicates.includes(`duplicate field "${at}"`)) duplicates.push(`duplicate field "${at}"`);
        seen.add(key);
      }
    }
  };
  visit(document.value, '');
}

/** What Go says when a value of another JSON kind arrives. */
export function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

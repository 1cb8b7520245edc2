import { NumberText } from './exact-json.ts';
import type { Pass } from './reading.ts';
import { IRREGULAR } from './reading.ts';

/** Free-form JSON inside typed objects (RawExtension, JSON schema defaults, managed fields). */

/** Deeper free-form values are refused: everything that later walks them, JSON.stringify among it, may recurse. */
export const MAX_FREE_DEPTH = 1_000;

/** Counts keys for the optimistic pass and turns exact numbers into plain ones for the careful pass. */
export function readFree(value: unknown, pass: Pass): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (pass.careful) return plain(value, 0);
  if (!pass.trusting) pass.keys += keysIn(value);
  return value;
}

function keysIn(root: object): number {
  let keys = 0;
  let level: object[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MAX_FREE_DEPTH) throw IRREGULAR;
    const next: object[] = [];
    for (const container of level) {
      const values: unknown[] = Array.isArray(container) ? container : Object.values(container);
      if (!Array.isArray(container)) keys += values.length;
      for (const value of values) if (typeof value === 'object' && value !== null) next.push(value);
    }
    level = next;
  }
  return keys;
}

function plain(value: unknown, depth: number): unknown {
  if (value instanceof NumberText) return value.value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_FREE_DEPTH) throw new SyntaxError('exceeded max depth');
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, plain(item, depth + 1));
  return copy;
}

/** `target[key] = value`, but `__proto__` becomes a property like any other. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}

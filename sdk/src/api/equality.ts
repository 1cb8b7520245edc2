/**
 * Equality of JSON values as the API compares objects on update: a field that is absent, null, empty or zero is the
 * same either way. (Go also tells a nil pointer from a pointer to zero; JSON that went through the encoder does not,
 * and a needless "field is immutable" would be worse than a missed one.)
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isZero(a) && isZero(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => semanticEqual(item, b[i]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!semanticEqual(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !isZero(right[key])) return false;
  return true;
}

/** Absent, null, '', 0, false, an empty list, or an object of nothing but such. */
export function isZero(value: unknown): boolean {
  if (!value) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object') return false;
  for (const key in value) if (!isZero((value as Record<string, unknown>)[key])) return false;
  return true;
}

/** Sorts after every text: in SQLite, a BLOB is greater than any TEXT. */
const AFTER_ALL = new Uint8Array(0);

/** The keys under a prefix are those with from <= key < to. */
export function keyRange(prefix: string, after?: string): { from: string; to: string | Uint8Array } {
  // NUL is the smallest character, so this is the smallest key after `after`.
  const from = after === undefined || after < prefix ? prefix : `${after}\0`;
  return { from, to: successor(prefix) };
}

/** The smallest text that is greater than every text with this prefix, in the order of code points. */
function successor(prefix: string): string | Uint8Array {
  const points = Array.from(prefix, (char) => char.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return AFTER_ALL;
}

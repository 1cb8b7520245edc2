/**
 * What changed, as a unified diff with three lines of context and no header. The matching blocks are those of Python's
 * difflib, which upstream's library follows: the longest run first, then what is left and right of it; lines that make
 * up more than one in a hundred of a long text start no run.
 */

interface Block {
  a: number;
  b: number;
  size: number;
}

type Change = { kind: 'equal' | 'change'; a: [number, number]; b: [number, number] };

const CONTEXT = 3;
const LONG = 200;

function positionsOf(lines: readonly string[]): Map<string, number[]> {
  const positions = new Map<string, number[]>();
  lines.forEach((line, i) => {
    const known = positions.get(line);
    if (known) known.push(i);
    else positions.set(line, [i]);
  });
  if (lines.length >= LONG) {
    const popular = Math.floor(lines.length / 100) + 1;
    for (const [line, found] of positions) if (found.length > popular) positions.delete(line);
  }
  return positions;
}

function longestMatch(
  a: readonly string[],
  b: readonly string[],
  positions: Map<string, number[]>,
  [alo, ahi, blo, bhi]: readonly number[],
): Block {
  const low = { a: alo as number, b: blo as number };
  const high = { a: ahi as number, b: bhi as number };
  const best = { a: low.a, b: low.b, size: 0 };
  let lengths = new Map<number, number>();
  for (let i = low.a; i < high.a; i++) {
    const next = new Map<number, number>();
    for (const j of positions.get(a[i] as string) ?? []) {
      if (j < low.b) continue;
      if (j >= high.b) break;
      const size = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) Object.assign(best, { a: i - size + 1, b: j - size + 1, size });
    }
    lengths = next;
  }
  while (best.a > low.a && best.b > low.b && a[best.a - 1] === b[best.b - 1])
    Object.assign(best, { a: best.a - 1, b: best.b - 1, size: best.size + 1 });
  while (best.a + best.size < high.a && best.b + best.size < high.b && a[best.a + best.size] === b[best.b + best.size]) best.size++;
  return best;
}

function matchingBlocks(a: readonly string[], b: readonly string[]): Block[] {
  const positions = positionsOf(b);
  const blocks: Block[] = [];
  const queue = [[0, a.length, 0, b.length]];
  for (let range = queue.pop(); range; range = queue.pop()) {
    const [alo = 0, ahi = 0, blo = 0, bhi = 0] = range;
    const block = longestMatch(a, b, positions, range);
    if (block.size === 0) continue;
    blocks.push(block);
    queue.push([alo, block.a, blo, block.b], [block.a + block.size, ahi, block.b + block.size, bhi]);
  }
  return blocks.sort((x, y) => x.a - y.a || x.b - y.b);
}

function changesBetween(a: readonly string[], b: readonly string[]): Change[] {
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  for (const block of [...matchingBlocks(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (i < block.a || j < block.b) changes.push({ kind: 'change', a: [i, block.a], b: [j, block.b] });
    [i, j] = [block.a + block.size, block.b + block.size];
    if (block.size) changes.push({ kind: 'equal', a: [block.a, i], b: [block.b, j] });
  }
  return changes;
}

/** Changes with their context; those near each other go together. */
function grouped(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = [];
  let group: Change[] = [];
  changes.forEach((change, index) => {
    const { kind, a, b } = change;
    if (kind === 'change') {
      group.push(change);
      return;
    }
    const first = index === 0;
    const last = index === changes.length - 1;
    const size = a[1] - a[0];
    if (!first && !last && size <= 2 * CONTEXT) {
      group.push(change);
      return;
    }
    const kept = Math.min(CONTEXT, size);
    if (!first) {
      group.push({ kind, a: [a[0], a[0] + kept], b: [b[0], b[0] + kept] });
      groups.push(group);
    }
    group = last ? [] : [{ kind, a: [a[1] - kept, a[1]], b: [b[1] - kept, b[1]] }];
  });
  if (group.some(({ kind }) => kind === 'change')) groups.push(group);
  return groups;
}

function range(from: number, to: number): string {
  const size = to - from;
  if (size === 1) return String(from + 1);
  return `${size === 0 ? from : from + 1},${size}`;
}

export function unifiedDiff(before: string, after: string): string {
  const a = before.split('\n');
  const b = after.split('\n');
  let text = '';
  for (const group of grouped(changesBetween(a, b))) {
    const first = group[0] as Change;
    const last = group.at(-1) as Change;
    text += `@@ -${range(first.a[0], last.a[1])} +${range(first.b[0], last.b[1])} @@\n`;
    for (const change of group) {
      const [mark, ...rest] = change.kind === 'equal' ? [' '] : ['-', '+'];
      for (const line of a.slice(...change.a)) text += `${mark}${line}\n`;
      if (rest.length) for (const line of b.slice(...change.b)) text += `+${line}\n`;
    }
  }
  return text;
}

/**
 * The JSONPath of printer columns (https://kubernetes.io/docs/reference/kubectl/jsonpath/): fields, indices, slices, wildcards,
 * recursive descent and simple filters. Compiled once; an expression nobody understands finds nothing.
 */
export type JsonPath = (value: unknown) => unknown[];

type Step = (values: unknown[]) => unknown[];

export function compileJsonPath(path: string): JsonPath {
  let steps: Step[];
  try {
    steps = parse(path);
  } catch {
    return () => [];
  }
  return (value) => steps.reduce((values, step) => step(values), [value]);
}

function parse(path: string): Step[] {
  const steps: Step[] = [];
  let at = path.startsWith('$') ? 1 : 0;
  while (at < path.length) {
    if (path.startsWith('..', at)) {
      steps.push((values) => values.flatMap(descendants));
      at += 2;
      if (path[at] === '[') continue;
      [at] = name(path, at, steps);
    } else if (path[at] === '.') {
      at++;
      if (path[at] === '[' || at >= path.length) continue;
      [at] = name(path, at, steps);
    } else if (path[at] === '[') {
      const end = closing(path, at);
      steps.push(bracket(path.slice(at + 1, end).trim()));
      at = end + 1;
    } else {
      throw new SyntaxError(`unexpected ${path[at]} at ${at} in ${path}`);
    }
  }
  return steps;
}

function name(path: string, from: number, steps: Step[]): [number] {
  let at = from;
  let text = '';
  while (at < path.length && path[at] !== '.' && path[at] !== '[') {
    if (path[at] === '\\') at++;
    text += path[at++] ?? '';
  }
  steps.push(text === '*' ? (values) => values.flatMap(members) : field(text));
  return [at];
}

function field(key: string): Step {
  return (values) => values.flatMap((value) => (isMap(value) && Object.hasOwn(value, key) ? [value[key]] : []));
}

function closing(path: string, open: number): number {
  let depth = 0;
  let quoted = '';
  for (let at = open; at < path.length; at++) {
    const char = path[at] as string;
    if (quoted) {
      if (char === '\\') at++;
      else if (char === quoted) quoted = '';
    } else if (char === '"' || char === "'") quoted = char;
    else if (char === '[') depth++;
    else if (char === ']' && --depth === 0) return at;
  }
  throw new SyntaxError(`unclosed bracket in ${path}`);
}

function bracket(inner: string): Step {
  if (inner === '*') return (values) => values.flatMap(members);
  const key = /^(['"])(.*)\1$/.exec(inner);
  if (key) return field((key[2] as string).replace(/\\(.)/g, '$1'));
  const filter = /^\?\((.*)\)$/.exec(inner);
  if (filter) return filtering((filter[1] as string).trim());
  const slice = /^(-?\d+)?:(-?\d+)?(?::(-?\d+))?$/.exec(inner);
  if (slice) return slicing(slice[1], slice[2], slice[3]);
  if (/^-?\d+(\s*,\s*-?\d+)*$/.test(inner)) {
    const indices = inner.split(',').map(Number);
    return (values) => values.flatMap((value) => (Array.isArray(value) ? indices.flatMap((index) => value.slice(index).slice(0, 1)) : []));
  }
  throw new SyntaxError(`unknown subscript [${inner}]`);
}

function slicing(from: string | undefined, to: string | undefined, step: string | undefined): Step {
  const by = Number(step ?? 1);
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value) || by <= 0) return [];
      const part = value.slice(Number(from ?? 0), to === undefined ? undefined : Number(to));
      return part.filter((_item, index) => index % by === 0);
    });
}

const COMPARISON = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/;

function filtering(condition: string): Step {
  const parts = COMPARISON.exec(condition);
  const left = operand(parts ? (parts[1] as string) : condition);
  const right = parts ? operand(parts[3] as string) : undefined;
  const holds = (item: unknown): boolean => {
    const a = left(item);
    if (!right) return a.length > 0;
    const b = right(item);
    return a.length > 0 && b.length > 0 && compares(a[0], parts?.[2] as string, b[0]);
  };
  return (values) =>
    values.flatMap((value) => (Array.isArray(value) ? value.filter(holds) : isMap(value) ? Object.values(value).filter(holds) : []));
}

function operand(text: string): JsonPath {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) return compileJsonPath(trimmed.slice(1));
  const quoted = /^(['"])(.*)\1$/.exec(trimmed);
  const constant = quoted ? quoted[2] : (JSON.parse(trimmed) as unknown);
  return () => [constant];
}

function compares(a: unknown, operator: string, b: unknown): boolean {
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false;
  const [left, right] = [a, b as typeof a];
  if (operator === '<') return left < right;
  if (operator === '>') return left > right;
  return operator === '<=' ? left <= right : left >= right;
}

function members(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isMap(value) ? Object.values(value) : [];
}

function descendants(value: unknown): unknown[] {
  return [value, ...members(value).flatMap(descendants)];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

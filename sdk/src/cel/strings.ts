import { goPattern } from '../structural/regexp.ts';
import type { CelEnvironment } from './engine.ts';

/** Extended strings and regular expressions. */
export function registerStrings(environment: CelEnvironment): void {
  const add = (signature: string, handler: (...given: never[]) => unknown): unknown =>
    environment.registerFunction(signature, handler as never);
  add('string.charAt(int): string', (text: string, at: bigint) => charAt([...text], Number(at)));
  add('string.replace(string, string): string', (text: string, from: string, to: string) => text.replaceAll(from, () => to));
  add('string.replace(string, string, int): string', (text: string, from: string, to: string, limit: bigint) =>
    replace(text, from, to, Number(limit)),
  );
  add('string.reverse(): string', (text: string) => [...text].reverse().join(''));
  add('string.find(string): string', (text: string, pattern: string) => goPattern(pattern).exec(text)?.[0] ?? '');
  add('string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern, -1));
  add('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) => findAll(text, pattern, Number(limit)));
  add('string.format(list): string', (text: string, values: unknown[]) => format(text, values));
}

function charAt(characters: readonly string[], at: number): string {
  if (at < 0 || at > characters.length) throw new Error(`index out of range: ${at}`);
  return characters[at] ?? '';
}

function replace(text: string, from: string, to: string, limit: number): string {
  if (limit < 0) return text.replaceAll(from, () => to);
  let out = text;
  for (let done = 0, at = out.indexOf(from); done < limit && at >= 0; done++, at = out.indexOf(from, at + to.length))
    out = out.slice(0, at) + to + out.slice(at + from.length);
  return out;
}

function findAll(text: string, pattern: string, limit: number): string[] {
  const expression = goPattern(pattern);
  const found = [...text.matchAll(new RegExp(expression.source, `${expression.flags}g`))].map(([match]) => match);
  return limit < 0 ? found : found.slice(0, limit);
}

/** `%s %d %f %e %x %X %b %o`. */
function format(text: string, values: readonly unknown[]): string {
  let next = 0;
  return text.replace(/%(?:\.(\d+))?([sdfexXbo%])/g, (_all, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (next >= values.length) throw new Error(`index ${next} out of range`);
    const value = values[next++];
    const digits = Number(precision ?? 6);
    if (verb === 'f') return Number(value).toFixed(digits);
    if (verb === 'e') return Number(value).toExponential(digits);
    if (verb === 'b') return typeof value === 'boolean' ? (value ? '1' : '0') : (value as bigint).toString(2);
    if (verb === 'o') return (value as bigint).toString(8);
    if (verb === 'x' || verb === 'X') {
      const hex = typeof value === 'bigint' ? value.toString(16) : Buffer.from(value as string).toString('hex');
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    return show(value);
  });
}

function show(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${show(item)}`)
      .sort()
      .join(', ')}}`;
  return String(value);
}

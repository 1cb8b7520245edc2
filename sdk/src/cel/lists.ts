import type { CelEnvironment } from './engine.ts';

type Comparable = number | bigint | string | boolean | Date;

/** Kubernetes' list functions, and those of CEL's sets and math libraries. */
export function registerLists(environment: CelEnvironment): void {
  const add = (signature: string, handler: (...given: never[]) => unknown): unknown =>
    environment.registerFunction(signature, handler as never);
  add('list.isSorted(): bool', (list: Comparable[]) => list.every((item, index) => index === 0 || (list[index - 1] as Comparable) <= item));
  add('list.sum(): dyn', (list: (number | bigint)[]) => list.reduce((sum, item) => plus(sum, item), typeof list[0] === 'number' ? 0 : 0n));
  add('list.min(): dyn', (list: Comparable[]) => extreme(list, 'min', (a, b) => a < b));
  add('list.max(): dyn', (list: Comparable[]) => extreme(list, 'max', (a, b) => a > b));
  add('list.indexOf(dyn): int', (list: unknown[], item: unknown) => BigInt(list.findIndex((other) => equal(other, item))));
  add('list.lastIndexOf(dyn): int', (list: unknown[], item: unknown) => BigInt(list.findLastIndex((other) => equal(other, item))));
  add('list.distinct(): list', (list: unknown[]) => list.filter((item, index) => list.findIndex((other) => equal(other, item)) === index));
  add('list.flatten(): list', (list: unknown[]) => list.flat());
  add('list.reverse(): list', (list: unknown[]) => [...list].reverse());
  add('list.sort(): list', (list: Comparable[]) => [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  namespace(environment, 'sets', (member) => {
    member('contains(list, list): bool', (list: unknown[], other: unknown[]) => contains(list, other));
    member('equivalent(list, list): bool', (list: unknown[], other: unknown[]) => contains(list, other) && contains(other, list));
    member('intersects(list, list): bool', (list: unknown[], other: unknown[]) => list.some((item) => contains(other, [item])));
  });
  namespace(environment, 'math', (member) => {
    const pick = (better: (a: Comparable, b: Comparable) => boolean) => (given: Comparable[]) => extreme(given, 'math', better);
    const [least, greatest] = [pick((a, b) => a < b), pick((a, b) => a > b)];
    member('least(list): dyn', least);
    member('greatest(list): dyn', greatest);
    for (const count of [1, 2, 3, 4, 5]) {
      const types = Array.from({ length: count }, () => 'dyn').join(', ');
      if (count === 1) continue;
      member(`least(${types}): dyn`, (...given: Comparable[]) => least(given));
      member(`greatest(${types}): dyn`, (...given: Comparable[]) => greatest(given));
    }
    member('abs(dyn): dyn', (value: number | bigint) => (value < 0 ? -value : value));
    member('ceil(double): double', Math.ceil);
    member('floor(double): double', Math.floor);
    member('round(double): double', Math.round);
  });
}

/** Functions behind a name: `sets.contains(...)`. */
export function namespace(
  environment: CelEnvironment,
  name: string,
  fill: (member: (signature: string, handler: (...given: never[]) => unknown) => void) => void,
): void {
  const type = `${name}Namespace`;
  const Namespace = { [type]: class {} }[type] as new () => object;
  environment.registerType(type, Namespace as never);
  environment.registerConstant(name, type, new Namespace() as never);
  fill((signature, handler) => {
    environment.registerFunction(`${type}.${signature}`, ((_self: unknown, ...given: never[]) => handler(...given)) as never);
  });
}

function plus(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === 'bigint' && typeof b === 'bigint' ? a + b : Number(a) + Number(b);
}

function extreme(list: readonly Comparable[], what: string, better: (a: Comparable, b: Comparable) => boolean): Comparable {
  if (list.length === 0) throw new Error(`${what} called on empty list`);
  return list.reduce((best, item) => (better(item, best) ? item : best));
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => equal(left[key], right[key]));
}

function contains(list: readonly unknown[], others: readonly unknown[]): boolean {
  return others.every((other) => list.some((item) => equal(item, other)));
}

/** Amounts of resources by name, as quotas count them. */
import { parseQuantity, Quantity } from '@kubernel/sdk/api';

export type Amounts = ReadonlyMap<string, Quantity>;

export const ONE = Quantity.of(1);
export const ZERO = Quantity.of(0);

export function amountsOf(list: Record<string, string> | undefined): Map<string, Quantity> {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

export function addTo(sum: Map<string, Quantity>, name: string, amount: Quantity): void {
  sum.set(name, sum.get(name)?.add(amount) ?? amount);
}

/** What `after` has more of than `before`; what is less counts as nothing. */
export function increase(after: Amounts, before: Amounts): Map<string, Quantity> {
  const result = new Map<string, Quantity>();
  for (const [name, amount] of after) {
    const more = before.has(name) ? amount.sub(before.get(name) as Quantity) : amount;
    if (more.sign > 0) result.set(name, more);
  }
  return result;
}

export function toRecord(amounts: Amounts): Record<string, string> {
  return Object.fromEntries([...amounts].map(([name, amount]) => [name, amount.toString()]));
}

/** `requests.cpu=700m,requests.memory=1Gi` for some of the names. */
export function print(amounts: Amounts, names: readonly string[]): string {
  return [...names]
    .sort()
    .map((name) => `${name}=${(amounts.get(name) ?? ZERO).toString()}`)
    .join(',');
}

import { parseQuantity, Quantity } from '../api/quantity.ts';
import type { CelEnvironment } from './engine.ts';

/** Kubernetes' quantity library. */
export function registerQuantities(environment: CelEnvironment): void {
  const add = (signature: string, handler: (...given: never[]) => unknown): unknown =>
    environment.registerFunction(signature, handler as never);
  environment.registerType('Quantity', Quantity as never);
  add('isQuantity(string): bool', (text: string) => isQuantity(text));
  add('quantity(string): Quantity', (text: string) => parseQuantity(text));
  add('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) => BigInt(Math.sign(a.compare(b))));
  add('Quantity.isGreaterThan(Quantity): bool', (a: Quantity, b: Quantity) => a.compare(b) > 0);
  add('Quantity.isLessThan(Quantity): bool', (a: Quantity, b: Quantity) => a.compare(b) < 0);
  add('Quantity.add(Quantity): Quantity', (a: Quantity, b: Quantity) => a.add(b));
  add('Quantity.add(int): Quantity', (a: Quantity, b: bigint) => a.add(Quantity.of(b)));
  add('Quantity.sub(Quantity): Quantity', (a: Quantity, b: Quantity) => a.sub(b));
  add('Quantity.sub(int): Quantity', (a: Quantity, b: bigint) => a.sub(Quantity.of(b)));
  add('Quantity.sign(): int', (a: Quantity) => BigInt(a.sign));
  add('Quantity.isInteger(): bool', (a: Quantity) => isWhole(a));
  add('Quantity.asApproximateFloat(): double', (a: Quantity) => a.toNumber());
  add('Quantity.asInteger(): int', (a: Quantity) => {
    if (!isWhole(a)) throw new Error('cannot convert value to integer');
    return BigInt(Math.trunc(a.toNumber()));
  });
  environment.registerOperator('Quantity == Quantity', ((a: Quantity, b: Quantity) => a.compare(b) === 0) as never);
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

function isWhole(quantity: Quantity): boolean {
  return Number.isInteger(quantity.toNumber());
}

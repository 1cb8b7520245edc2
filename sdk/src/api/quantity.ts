/**
 * Kubernetes quantities (`500m`, `1Gi`, `2e3`): exact arithmetic and the canonical form
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
 * A value is held as a whole number of nanos, the finest a quantity can be; anything finer rounds away from zero.
 */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

const NANO = 1_000_000_000n;
const MAX_BINARY = (2n ** 63n - 1n) * NANO;
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL_EXPONENTS).map(([suffix, exponent]) => [exponent, suffix]));

export const QUANTITY_FORMAT_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
export const QUANTITY_NUMBER_ERROR = 'unable to parse numeric part of quantity';
export const QUANTITY_SUFFIX_ERROR = "unable to parse quantity's suffix";

/** An immutable amount. Compare and add with the methods; print with toString, which is canonical. */
export class Quantity {
  static readonly zero = new Quantity(0n, 'DecimalSI');
  readonly nanos: bigint;
  readonly format: QuantityFormat;

  constructor(nanos: bigint, format: QuantityFormat = 'DecimalSI') {
    this.nanos = nanos;
    this.format = format;
  }

  static of(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value) * NANO, format);
  }

  static ofMillis(millis: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(millis) * 1_000_000n, format);
  }

  add(other: Quantity): Quantity {
    return new Quantity(this.nanos + other.nanos, this.nanos === 0n ? other.format : this.format);
  }

  sub(other: Quantity): Quantity {
    return new Quantity(this.nanos - other.nanos, this.nanos === 0n ? other.format : this.format);
  }

  neg(): Quantity {
    return new Quantity(-this.nanos, this.format);
  }

  /** Negative, zero or positive, as for sort. */
  compare(other: Quantity): number {
    return this.nanos < other.nanos ? -1 : this.nanos > other.nanos ? 1 : 0;
  }

  get sign(): number {
    return this.nanos < 0n ? -1 : this.nanos > 0n ? 1 : 0;
  }

  /** The whole number, rounded away from zero. Beyond 2^53 it loses precision: use nanos. */
  value(): number {
    return Number(divideUp(this.nanos, NANO));
  }

  /** Thousandths, rounded away from zero. */
  millis(): number {
    return Number(divideUp(this.nanos, 1_000_000n));
  }

  toNumber(): number {
    return Number(this.nanos) / 1e9;
  }

  toString(): string {
    if (this.nanos === 0n) return '0';
    const limit = 1024n * NANO;
    // a fraction is shown rather than rounded away
    if (this.format === 'BinarySI' && (this.nanos >= limit || this.nanos <= -limit) && this.nanos % NANO === 0n)
      return binaryText(this.nanos / NANO);
    return decimalText(this.nanos, this.format === 'DecimalExponent');
  }

  toJSON(): string {
    return this.toString();
  }
}

function divideUp(amount: bigint, unit: bigint): bigint {
  const quotient = amount / unit;
  if (quotient * unit === amount) return quotient;
  return amount < 0n ? quotient - 1n : quotient + 1n;
}

function binaryText(whole: bigint): string {
  let mantissa = whole;
  let power = 0;
  while (power < 6 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    power++;
  }
  return `${mantissa}${BINARY_SUFFIXES[power]}`;
}

function decimalText(nanos: bigint, exponential: boolean): string {
  let mantissa = nanos;
  let exponent = -9;
  while (mantissa % 1000n === 0n && exponent < 18) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (!exponential) return `${mantissa}${DECIMAL_SUFFIXES.get(exponent)}`;
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
}

/** Throws a RangeError with upstream's words for a text that is no quantity. */
export function parseQuantity(text: string): Quantity {
  const known = cache.get(text);
  if (known) return known;
  const parsed = parse(text);
  if (cache.size >= 4096) cache.clear();
  cache.set(text, parsed);
  return parsed;
}

const cache = new Map<string, Quantity>();

function parse(text: string): Quantity {
  if (text === '') throw new RangeError(QUANTITY_FORMAT_ERROR);
  const match = /^([+-]?)(\d*)(\.?)(\d*)([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (!match) throw new RangeError(QUANTITY_FORMAT_ERROR);
  const [, sign, whole = '', , fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') throw new RangeError(QUANTITY_NUMBER_ERROR);
  let format: QuantityFormat = 'DecimalSI';
  let exponent = 0;
  let factor = 1n;
  const binary = BINARY_SUFFIXES.indexOf(suffix as (typeof BINARY_SUFFIXES)[number]);
  if (suffix !== '' && binary > 0) {
    format = 'BinarySI';
    factor = 1024n ** BigInt(binary);
  } else if (Object.hasOwn(DECIMAL_EXPONENTS, suffix)) {
    exponent = DECIMAL_EXPONENTS[suffix] ?? 0;
  } else {
    const power = /^[eE]([+-]?\d+)$/.exec(suffix);
    if (!power) throw new RangeError(QUANTITY_SUFFIX_ERROR);
    format = 'DecimalExponent';
    exponent = Number(power[1]);
    if (Math.abs(exponent) > 10_000) throw new RangeError(QUANTITY_SUFFIX_ERROR);
  }
  const digits = BigInt(whole + fraction || '0') * factor;
  const shift = exponent - fraction.length + 9;
  let nanos = shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
  if (format === 'BinarySI') {
    if (nanos > MAX_BINARY) nanos = MAX_BINARY;
    if (nanos > 0n && nanos < NANO) format = 'DecimalSI';
  }
  return new Quantity(sign === '-' ? -nanos : nanos, format);
}

/** The parsed quantity, or undefined for anything that is none. Numbers, as JSON may carry them, count too. */
export function tryQuantity(value: unknown): Quantity | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  try {
    return parseQuantity(String(value));
  } catch {
    return undefined;
  }
}

/** Whole units rounded up; 0 for an absent or malformed quantity. */
export const quantityValue = (value: unknown): number => tryQuantity(value)?.value() ?? 0;

/** Thousandths rounded up (`cpu`); 0 for an absent or malformed quantity. */
export const quantityMillis = (value: unknown): number => tryQuantity(value)?.millis() ?? 0;

/** `1000m` -> `1`, `1024Mi` -> `1Gi`. Throws a RangeError for a text that is no quantity. */
export const canonicalQuantity = (value: string | number): string => parseQuantity(String(value)).toString();

/** Both absent, or both the same amount. */
export function quantitiesEqual(a: unknown, b: unknown): boolean {
  const left = tryQuantity(a);
  const right = tryQuantity(b);
  return left && right ? left.nanos === right.nanos : left === right;
}

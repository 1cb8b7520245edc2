/** Go durations (`1h30m`, `-1.5s`), as metav1.Duration fields carry them. Exact to the nanosecond. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Nanoseconds, or undefined when `text` is no Go duration. */
export function parseDurationNs(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  let rest = negative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') return undefined;
  let total = 0n;
  while (rest !== '') {
    const match = /^(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    if (!match || (!match[1] && !match[2])) return undefined;
    const unit = UNITS[match[3] ?? ''] ?? 1n;
    total += BigInt(match[1] || 0) * unit;
    const fraction = match[2];
    if (fraction) total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    rest = rest.slice(match[0].length);
  }
  if (total > 9223372036854775807n) return undefined;
  return negative ? -total : total;
}

/** Milliseconds, fractions included; undefined when `text` is no Go duration. */
export function parseDurationMs(text: string): number | undefined {
  const ns = parseDurationNs(text);
  return ns === undefined ? undefined : Number(ns) / 1e6;
}

/** As Go's Duration.String() writes it: `1h0m0s`, `1.5s`, `2ms`, `0s`. */
export function formatDuration(ns: bigint | number): string {
  const value = BigInt(ns);
  if (value === 0n) return '0s';
  const sign = value < 0n ? '-' : '';
  const abs = value < 0n ? -value : value;
  const decimal = (amount: bigint, unit: bigint): string => {
    const fraction = (amount % unit)
      .toString()
      .padStart(unit.toString().length - 1, '0')
      .replace(/0+$/, '');
    return `${amount / unit}${fraction ? `.${fraction}` : ''}`;
  };
  if (abs < 1_000n) return `${sign}${abs}ns`;
  if (abs < 1_000_000n) return `${sign}${decimal(abs, 1_000n)}µs`;
  if (abs < 1_000_000_000n) return `${sign}${decimal(abs, 1_000_000n)}ms`;
  const hours = abs / 3_600_000_000_000n;
  const minutes = (abs / 60_000_000_000n) % 60n;
  const seconds = decimal(abs % 60_000_000_000n, 1_000_000_000n);
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}s`;
  if (minutes > 0n) return `${sign}${minutes}m${seconds}s`;
  return `${sign}${seconds}s`;
}

import type { KubernelError } from '@kubernel/sdk';

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no cluster runs, 4 runs but is not healthy. */
export const EXIT = { failed: 1, usage: 2, notRunning: 3, unhealthy: 4 } as const;

export type OutputFormat = 'text' | 'json';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Columns padded to the widest cell, two spaces apart. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** An error with its code and the next step. Stack traces only with KUBERNEL_DEBUG. */
export function printError(error: unknown): void {
  const { code, message, hint, stack } = error as Partial<KubernelError> & Error;
  process.stderr.write(`error: ${message}${code ? ` (${code})` : ''}\n`);
  if (hint) process.stderr.write(`  next: ${hint}\n`);
  if (process.env['KUBERNEL_DEBUG'] && stack) process.stderr.write(`${stack}\n`);
}

export function exitCodeOf(error: unknown): number {
  const code = (error as { code?: string }).code;
  if (code === 'ERR_NOT_RUNNING') return EXIT.notRunning;
  if (code?.startsWith('commander.') || code === 'ERR_CONFIG_INVALID') return EXIT.usage;
  return EXIT.failed;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

export interface Row {
  /** What was measured: `create, 32 connections`. */
  what: string;
  value: number;
  /** `/s`, `ms`, `MiB`. */
  unit: string;
  /** Smallest and largest of the runs. */
  range?: [number, number];
  runs: number;
  /** What docs/performance.md asks for, as text. */
  target?: string;
}

/** Prints a table and writes the same as JSON under test/perf/results/. */
export function report(name: string, rows: readonly Row[]): void {
  const shown = rows.map((row) => [
    row.what,
    `${number(row.value)} ${row.unit}`,
    row.range ? `${number(row.range[0])}-${number(row.range[1])}` : '',
    String(row.runs),
    row.target ?? '',
  ]);
  const header = ['what', 'median', 'range', 'n', 'target'];
  const widths = header.map((title, i) => Math.max(title.length, ...shown.map((cells) => (cells[i] as string).length)));
  for (const cells of [header, ...shown])
    console.log(
      cells
        .map((cell, i) => cell.padEnd(widths[i] as number))
        .join('  ')
        .trimEnd(),
    );
  const dir = join(import.meta.dirname, 'results');
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, `${name}.json`),
    `${JSON.stringify({ name, at: new Date().toISOString(), cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, rows }, null, 2)}\n`,
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] as number;
}

function number(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

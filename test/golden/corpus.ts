import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ApiGroup, ResourceDefinition } from '@kubernel/sdk';

/** The recorded answers of upstream's API server, where they are at hand: `../shared/golden` beside the project. */
export const CORPUS = fileURLToPath(new URL('../../../shared/golden/', import.meta.url));
export const hasCorpus = existsSync(CORPUS);

export interface Step {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  raw?: string;
  expect?: { code: number; body?: Record<string, unknown>; warnings?: string[] };
}
export interface Case {
  id: string;
  steps: Step[];
}

export function casesOf(area: string): Case[] {
  return readFileSync(`${CORPUS}train/${area}.jsonl`, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

export function oracle(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(`${CORPUS}static/${name}.json`, 'utf8'));
}

const modules = import.meta.glob<{ group: ApiGroup }>('../../plugins/api/*/src/index.ts', { eager: true });

/** Every API group of this repository. */
export const allGroups: ApiGroup[] = Object.values(modules).map(({ group }) => group);

/** The resource a path like `/apis/apps/v1/namespaces/default/deployments/web?x=y` is about. */
export function resourceAt(path: string): ResourceDefinition | undefined {
  const parts = (path.split('?')[0] ?? '').split('/').filter(Boolean);
  const [group, version, ...rest] = parts[0] === 'api' ? ['', parts[1], ...parts.slice(2)] : parts.slice(1);
  const plural = rest[0] === 'namespaces' && rest.length > 2 ? rest[2] : rest[0];
  return allGroups
    .flatMap(({ resources }) => resources)
    .find((item) => item.group === group && item.version === version && item.plural === plural);
}

/** Objects with keys in one order, so that two of them can be compared as text. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

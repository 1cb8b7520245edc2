import { loadAll, YAMLException } from 'js-yaml';
import { badRequest } from '../status.ts';
import { READING } from '../yaml.ts';
import { parsePatch } from './parse-patch.ts';

/**
 * The text of an applied configuration, YAML or JSON; of several documents the first. Repeated keys are named with
 * their line and the last one counts. Throws a 400.
 */
export function parseConfiguration(text: string): { value: unknown; duplicates: string[] } {
  if (text.trimStart().startsWith('{')) {
    try {
      const { value, duplicates } = parsePatch(text, '');
      if (duplicates.length === 0) return { value, duplicates };
    } catch {
      // No JSON, but it may be YAML in braces.
    }
  }
  const duplicates: string[] = [];
  try {
    return { value: bounded(loadAll(text, READING)[0] ?? null), duplicates };
  } catch (error) {
    if (!(error instanceof YAMLException) || error.reason !== 'duplicated mapping key') throw unreadable(error);
    duplicates.push(duplicateKey(text, error.mark?.line ?? 0, error.mark?.column ?? 0));
  }
  try {
    return { value: bounded(loadAll(text, { ...READING, json: true })[0] ?? null), duplicates };
  } catch (error) {
    throw unreadable(error);
  }
}

/** The 400 of strict field validation for repeated keys. */
export function strictConfigurationError(duplicates: readonly string[]): Error {
  return badRequest(
    `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n${duplicates.map((line) => `  ${line}`).join('\n')}`,
  );
}

function duplicateKey(text: string, line: number, column: number): string {
  const rest = text.split('\n')[line]?.slice(column) ?? '';
  const key = /^["']?([^"':]+)/.exec(rest)?.[1] ?? '';
  return `line ${line + 1}: key ${JSON.stringify(key)} already set in map`;
}

const MAX_NODES = 1_000_000;

/** Aliases make a small text a huge tree ("billion laughs"): everything that walks it later would pay. */
function bounded(root: unknown): unknown {
  let nodes = 0;
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (++nodes > MAX_NODES)
      throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: document contains excessive aliasing`);
    if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) stack.push(item);
  }
  return root;
}

function unreadable(error: unknown): Error {
  if (!(error instanceof YAMLException)) return error as Error;
  const { reason, mark } = error as Partial<YAMLException>;
  const where = mark ? `line ${mark.line + 1}: ` : '';
  return badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${where}${reason ?? (error as Error).message}`);
}

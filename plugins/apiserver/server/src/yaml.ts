import { boolYaml11Tag, CORE_SCHEMA, defineScalarTag, dump, intCoreTag, loadAll, mergeTag, NOT_RESOLVED } from 'js-yaml';
import { badRequest } from './status.ts';

/**
 * YAML as Kubernetes' Go libraries read and write it: version 1.1's booleans (`yes`, `on`), octal file modes (`0644`),
 * merge keys, but neither dates nor base-60 numbers (`12:30:45` is a string).
 */
const INTEGER = /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$/;

const integer = defineScalarTag('tag:yaml.org,2002:int', {
  ...intCoreTag,
  resolve(source: string) {
    if (!INTEGER.test(source)) return NOT_RESOLVED;
    const digits = source.replace(/^[-+]/, '').replaceAll('_', '');
    const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
    return source.startsWith('-') ? -value : value;
  },
});

export const READING = { schema: CORE_SCHEMA.withTags(mergeTag, boolYaml11Tag, integer) };
const WRITING = { sortKeys: true, lineWidth: -1, noRefs: true, quoteStyle: 'double', seqNoIndent: true } as const;

/** Aliases are fine up to this many nodes more than the text could hold without them. */
const ALIAS_ALLOWANCE = 10_000;

/** The first document; null for an empty text. Throws a 400 for malformed YAML, and for a few aliases that stand for billions of nodes. */
export function parseYaml(text: string): unknown {
  let value: unknown;
  try {
    [value = null] = loadAll(text, READING);
  } catch (error) {
    throw badRequest(`yaml: ${(error as Error).message.split('\n')[0]}`);
  }
  if (text.includes('*') && remaining(value, text.length + ALIAS_ALLOWANCE) < 0)
    throw badRequest('yaml: document contains excessive aliasing');
  return value;
}

/** What is left of a budget of nodes, each occurrence of a shared one counted; negative when there are more. */
function remaining(value: unknown, budget: number): number {
  let left = budget - 1;
  if (typeof value !== 'object' || value === null) return left;
  for (const child of Object.values(value)) {
    if (left < 0) return left;
    left = remaining(child, left);
  }
  return left;
}

/** Keys sorted, double quotes, lists not indented. */
export function toYaml(json: string): string {
  return dump(JSON.parse(json), WRITING);
}

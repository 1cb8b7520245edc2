import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';

/**
 * What CEL rules would cost at worst, on objects as large as a request may be. Upstream estimates every operation
 * (https://kubernetes.io/docs/reference/using-api/cel/#cel-resource-constraints); here only how often a rule and the loops in it run is
 * counted, which is never more: what is refused here is refused there, and a rule that is a little too expensive passes.
 */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
/** A hundred times what all rules of a schema may cost together, and so a thousand times what one may. */
const HOPELESS = 1e10;
const ADVICE = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';

export function checkCosts(schema: Decoded, path: FieldPath, errors: FieldErrors): void {
  const expensive: FieldPath[] = [];
  visit(schema, path, 1, (node, at, times) => {
    for (const [index, { rule = '' }] of ((node['x-kubernetes-validations'] ?? []) as Decoded[]).entries())
      if (times * loops(rule, node) > HOPELESS) expensive.push(at.child('x-kubernetes-validations').index(index).child('rule'));
  });
  if (expensive.length === 0) return;
  const factor = 'exceeds budget by factor of more than 100x';
  for (const at of expensive) errors.forbidden(at, `estimated rule cost ${factor} (${ADVICE})`);
  for (const at of expensive)
    errors.forbidden(at, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema');
  errors.forbidden(path, `x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema ${factor} (${ADVICE})`);
}

type Visit = (schema: Decoded, path: FieldPath, times: number) => void;

/** `times`: how many values of this schema an object may hold. */
function visit(schema: Decoded, path: FieldPath, times: number, callback: Visit): void {
  callback(schema, path, times);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    visit(property as Decoded, path.child('properties').key(name), times, callback);
  if (isSchema(schema.items)) visit(schema.items, path.child('items'), times * sizeOf(schema), callback);
  if (isSchema(schema.additionalProperties))
    visit(schema.additionalProperties, path.child('additionalProperties'), times * sizeOf(schema), callback);
}

const isSchema = (value: unknown): value is Decoded => typeof value === 'object' && value !== null && !Array.isArray(value);

/** How many elements a list or map may have. */
function sizeOf(schema: Decoded): number {
  if (isSchema(schema.items)) return schema.maxItems ?? Math.floor(MAX_REQUEST_BYTES / (leastBytes(schema.items) + 1));
  if (isSchema(schema.additionalProperties))
    return schema.maxProperties ?? Math.floor(MAX_REQUEST_BYTES / (leastBytes(schema.additionalProperties) + 5));
  return 1;
}

/** The least a value takes in JSON. */
function leastBytes(schema: Decoded): number {
  if (schema.type === 'boolean') return 4;
  if (schema.type === 'integer' || schema.type === 'number') return 1;
  let bytes = 2 + (schema.type === 'string' ? (schema.minLength ?? 0) : 0);
  for (const name of (schema.required ?? []) as string[]) bytes += name.length + 4 + leastBytes(schema.properties?.[name] ?? {});
  return bytes;
}

/** How often the innermost loop over parts of `self` runs. */
function loops(rule: string, schema: Decoded): number {
  const text = rule.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, (quoted) => ' '.repeat(quoted.length));
  const found = [...text.matchAll(/(?<![\w.])self((?:\.[A-Za-z_]\w*)*)\.(?:all|exists|exists_one|existsOne|map|filter)\(/g)].map((call) => {
    const from = call.index + call[0].length;
    return { from, to: closing(text, from), size: sizeAt(schema, (call[1] as string).split('.').slice(1)) };
  });
  const timesOf = (at: number): number => found.reduce((times, { from, to, size }) => (at >= from && at < to ? times * size : times), 1);
  return Math.max(1, ...found.map(({ from }) => timesOf(from)));
}

function closing(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at;
  }
  return text.length;
}

function sizeAt(schema: Decoded, steps: readonly string[]): number {
  let part: Decoded | undefined = schema;
  for (const step of steps) part = part?.properties?.[step];
  return part ? sizeOf(part) : 1;
}

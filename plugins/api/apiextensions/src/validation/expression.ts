import type { Decoded } from '@kubernel/sdk/api';
import { celFunctions, celName } from '@kubernel/sdk/cel';
import { goPattern } from '@kubernel/sdk/structural';

/** What an expression refers to that is not there, in the words of upstream's compiler: functions, fields of the schema, patterns. */
export function firstProblem(rule: string, schema: Decoded, root: boolean): { error: string } | undefined {
  const found = [...unknownFunctions(rule), ...unknownFields(rule, schema, root), ...badPatterns(rule)].sort((a, b) => a.at - b.at);
  if (found.length === 0) return undefined;
  return { error: found.map(({ at, why }) => located(rule, at, why)).join('\n') };
}

interface Problem {
  at: number;
  why: string;
}

function located(rule: string, at: number, why: string): string {
  const before = rule.slice(0, at).split('\n');
  const column = (before.at(-1) as string).length;
  const line = rule.split('\n')[before.length - 1] as string;
  return `ERROR: <input>:${before.length}:${column + 1}: ${why}\n | ${line}\n | ${'.'.repeat(column)}^`;
}

/** The same text with blanks in place of what stands in quotes. */
function withoutTexts(rule: string): string {
  return rule.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, (text) => ' '.repeat(text.length));
}

function unknownFunctions(rule: string): Problem[] {
  const known = celFunctions();
  return [...withoutTexts(rule).matchAll(/([A-Za-z_]\w*)\s*\(/g)].flatMap((call) => {
    const name = call[1] as string;
    if (known.has(name) || name === 'in') return [];
    return [{ at: call.index + call[0].length - 1, why: `undeclared reference to '${name}' (in container '')` }];
  });
}

const SCALARS = new Set(['string', 'integer', 'number', 'boolean']);
const METADATA = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } };
const TYPE_META = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: METADATA };

/** Follows `self.a.b` through the schema. Variables of macros and elements of lists are beyond it. */
function unknownFields(rule: string, schema: Decoded, root: boolean): Problem[] {
  const found: Problem[] = [];
  for (const path of withoutTexts(rule).matchAll(/(?<![\w.])(?:self|oldSelf)((?:\.[A-Za-z_]\w*)+)(\s*\()?/g)) {
    if (path[0].startsWith('oldSelf') && /oldSelf\.(?:value|hasValue|or|orValue|optMap)\b/.test(path[0])) continue;
    const steps = (path[1] as string).slice(1).split('.');
    if (path[2]) steps.pop();
    let at = path.index + path[0].indexOf('.');
    let part: Decoded | undefined = schema;
    let whole = root;
    for (const step of steps) {
      const next = fieldOf(part, step, whole);
      if (next === 'unknown') {
        found.push({ at, why: `undefined field '${step}'` });
        break;
      }
      if (next === undefined) break;
      part = next;
      whole = part['x-kubernetes-embedded-resource'] === true;
      at += step.length + 1;
    }
  }
  return found;
}

/** Undefined: nobody can tell. */
function fieldOf(schema: Decoded | undefined, name: string, root: boolean): Decoded | 'unknown' | undefined {
  if (!schema || schema['x-kubernetes-int-or-string'] || SCALARS.has(schema.type) || schema.type === 'array') return undefined;
  if (schema.additionalProperties) return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  if (schema.type !== 'object') return undefined;
  if (root && name in TYPE_META) return TYPE_META[name as keyof typeof TYPE_META];
  for (const [field, property] of Object.entries(schema.properties ?? {})) if (celName(field) === name) return property as Decoded;
  return 'unknown';
}

function badPatterns(rule: string): Problem[] {
  return [...rule.matchAll(/\.matches\(\s*(r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*')/g)].flatMap((call) => {
    const literal = call[1] as string;
    const pattern = literal.startsWith('r') ? literal.slice(2, -1) : literal.slice(1, -1).replace(/\\(.)/g, '$1');
    try {
      goPattern(pattern);
      return [];
    } catch {
      return [{ at: call.index + call[0].length - literal.length, why: 'invalid matches argument' }];
    }
  });
}

import { readFile } from 'node:fs/promises';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml';
import { configInvalid } from '../errors.ts';
import { type ClusterConfig, type ClusterDocument, withDefaults } from './cluster-config.ts';
import { CLUSTER_SCHEMA } from './schema.ts';

/** Larger files are refused: a composition is a page or two. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads, checks and completes a config file.
 * @throws ERR_CONFIG_INVALID whose message has a `file:line: what is wrong` for each problem.
 */
export async function loadConfig(file: string): Promise<ClusterConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw configInvalid(file, [`${file}: cannot be read: ${(error as Error).message}`]);
  }
  return parseConfig(text, file);
}

export async function parseConfig(text: string, file: string): Promise<ClusterConfig> {
  if (text.length > MAX_BYTES) throw configInvalid(file, [`${file}: larger than ${MAX_BYTES} bytes`]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    throw configInvalid(
      file,
      document.errors.map((error) => `${file}:${lines.linePos(error.pos[0]).line}: ${error.message}`),
    );
  }
  const value = document.toJS({ maxAliasCount: 100 }) as ClusterDocument;
  const validate = await compiledSchema();
  if (!validate(value)) {
    const problems = (validate.errors ?? [])
      .filter(isTelling)
      .map((error) => `${file}:${lineOf(document, lines, error)}: ${describe(error)}`);
    throw configInvalid(file, [...new Set(problems)]);
  }
  return withDefaults(value);
}

/** Points a problem found later (an unknown plugin, a bad plugin config) at its line of the file. */
export function lineOfPlugin(text: string, id: string): number {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return lineOfPath(document, lines, ['spec', 'plugins', id]);
}

let compiled: Promise<ValidateFunction> | undefined;

/** ajv is loaded on first use: it costs some 30 ms, which an embedder without a file need not pay. */
function compiledSchema(): Promise<ValidateFunction> {
  compiled ??= import('ajv/dist/2020.js').then(({ Ajv2020 }) =>
    new Ajv2020({ allErrors: true, strict: false, validateSchema: false, meta: false }).compile(CLUSTER_SCHEMA),
  );
  return compiled;
}

/** ajv reports a failed propertyNames twice: the rule that failed, and that one failed. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'propertyNames' && error.keyword !== 'if';
}

function describe(error: ErrorObject): string {
  const where = error.instancePath.slice(1).split('/').map(unescapePointer).filter(Boolean).join('.') || 'the document';
  switch (error.keyword) {
    case 'additionalProperties':
      return `${where} has no field ${JSON.stringify(error.params['additionalProperty'])}`;
    case 'required':
      return `${where} needs the field ${JSON.stringify(error.params['missingProperty'])}`;
    case 'const':
      return `${where} must be ${JSON.stringify(error.params['allowedValue'])}`;
    case 'enum':
      return `${where} must be one of ${(error.params['allowedValues'] as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`;
    default:
      return error.propertyName === undefined
        ? `${where} ${error.message}`
        : `${JSON.stringify(error.propertyName)} in ${where} ${error.message}`;
  }
}

function lineOf(document: Document, lines: LineCounter, error: ErrorObject): number {
  const path = error.instancePath.slice(1).split('/').filter(Boolean).map(unescapePointer);
  const extra = error.params['additionalProperty'] ?? error.propertyName;
  return lineOfPath(document, lines, typeof extra === 'string' ? [...path, extra] : path);
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** The line of the deepest part of the path that is in the document. */
function lineOfPath(document: Document, lines: LineCounter, path: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && String(isNode(item.key) ? item.key : item.key) === step);
      if (!pair) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else {
      const next: unknown = (node as { items?: unknown[] } | null)?.items?.[Number(step)];
      if (!isNode(next)) break;
      offset = next.range?.[0] ?? offset;
      node = next;
    }
  }
  return lines.linePos(offset).line;
}

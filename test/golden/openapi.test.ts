import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openApiV2, openApiV3, SchemaCodec } from '../../plugins/apiserver/server/src/schema/index.ts';
import { allGroups, CORPUS, hasCorpus, oracle } from './corpus.ts';

const source = { groups: allGroups, types: new SchemaCodec(allGroups).types };

function differences(expected: unknown, got: unknown, path: string): string[] {
  if (JSON.stringify(expected) === JSON.stringify(got)) return [];
  const both = typeof expected === 'object' && expected !== null && typeof got === 'object' && got !== null;
  if (!both) return [`${path}: expected ${JSON.stringify(expected)?.slice(0, 160)} got ${JSON.stringify(got)?.slice(0, 160)}`];
  const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
  return [...keys].flatMap((key) =>
    differences((expected as Record<string, unknown>)[key], (got as Record<string, unknown>)[key], `${path} ${key}`),
  );
}

describe.skipIf(!hasCorpus)('OpenAPI, against upstream (skipped: ../shared/golden is not there)', () => {
  test('version 3 documents are upstream’s, descriptions apart', () => {
    const documents = openApiV3(source);
    const wrong: string[] = [];
    for (const file of readdirSync(`${CORPUS}static/openapi-v3`)) {
      if (file === 'index.json') continue;
      const expected = JSON.parse(readFileSync(`${CORPUS}static/openapi-v3/${file}`, 'utf8'));
      const path = file.slice(0, -5).replaceAll('_', '/');
      const got = JSON.parse(JSON.stringify(documents.get(path)?.() ?? null));
      wrong.push(...differences(expected, got, path));
    }
    if (process.env.GOLDEN_VERBOSE) console.log(wrong.slice(0, 150).join('\n'));
    console.log(`openapi v3: ${wrong.length} differences`);
    expect(wrong.length).toBeLessThanOrEqual(0);
  });

  test('version 2 definitions are upstream’s, descriptions apart', () => {
    const expected = oracle('openapi-v2').definitions;
    const got = JSON.parse(JSON.stringify(openApiV2(source).definitions));
    const wrong = differences(expected, got, '');
    if (process.env.GOLDEN_VERBOSE) console.log(wrong.slice(0, 60).join('\n'));
    console.log(`openapi v2: ${wrong.length} differences in definitions`);
    expect(wrong.length).toBeLessThanOrEqual(0);
  });
});

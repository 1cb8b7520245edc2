import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadGroups, readCases, replay } from './offline.ts';

/**
 * What upstream's API server answered to creations and updates, replayed against strategies and validators alone.
 * `node test/golden/report.ts` says which kinds differ and how.
 */

const root = join(import.meta.dirname, '../..');
const corpus = join(root, '../shared/golden/train');

/** Shares of answers that are the same to the letter; what is missing is mostly about `{}` and `[]` in messages. */
const AREAS = [
  { area: 'validation-create', least: 0.99 },
  { area: 'validation-mutants', least: 0.98 },
  { area: 'validation-update', least: 0.98 },
  { area: 'strategy', least: 0.98 },
];

describe.skipIf(!existsSync(corpus))('validation as upstream has it (needs ../shared/golden/train)', () => {
  it.for(AREAS)('$area', async ({ area, least }) => {
    const groups = await loadGroups(join(root, 'plugins/api'));
    let total = 0;
    let exact = 0;
    for (const testCase of readCases(join(corpus, `${area}.jsonl`))) {
      for (const outcome of await replay(testCase, groups)) {
        total++;
        if (outcome.exact) exact++;
      }
    }
    console.log(`${area}: ${exact} of ${total} answers exact`);
    expect(exact / total).toBeGreaterThanOrEqual(least);
  });
});

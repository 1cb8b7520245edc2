import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from './offline.ts';
import { loadGroups, readCases, replay } from './offline.ts';

/** `node test/golden/report.ts [--diff N] [--filter REGEX] [areas…]`: pass rate by kind, and the first differences. */

const root = join(import.meta.dirname, '../..');
const golden = join(root, '../shared/golden/train');
const args = process.argv.slice(2);
const take = (flag: string): string | undefined => {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args.splice(at, 2)[1];
};
const diffs = Number(take('--diff') ?? 0);
const filter = new RegExp(take('--filter') ?? '');
const areas = args.length ? args : ['validation-create', 'validation-mutants', 'validation-update', 'strategy'];
if (!existsSync(golden)) throw new Error(`no golden corpus at ${golden}`);

const groups = await loadGroups(join(root, 'plugins/api'));
let shown = 0;
for (const area of areas) {
  const byKind = new Map<string, { total: number; exact: number; code: number }>();
  for (const testCase of readCases(join(golden, `${area}.jsonl`))) {
    if (!filter.test(testCase.id)) continue;
    let outcomes: Outcome[];
    try {
      outcomes = await replay(testCase, groups);
    } catch (error) {
      outcomes = [
        {
          id: testCase.id,
          kind: testCase.id.split('/')[1] ?? '',
          exact: false,
          codeEqual: false,
          expected: '',
          actual: String((error as Error).stack),
        },
      ];
    }
    for (const outcome of outcomes) {
      const counts = byKind.get(outcome.kind) ?? { total: 0, exact: 0, code: 0 };
      byKind.set(outcome.kind, counts);
      counts.total++;
      if (outcome.exact) counts.exact++;
      if (outcome.codeEqual) counts.code++;
      if (!outcome.exact && shown++ < diffs)
        console.log(`--- ${outcome.id}\n  want ${outcome.expected.slice(0, 9000)}\n  got  ${outcome.actual.slice(0, 9000)}\n`);
    }
  }
  const sum = [...byKind.values()].reduce(
    (all, { total, exact, code }) => ({ total: all.total + total, exact: all.exact + exact, code: all.code + code }),
    { total: 0, exact: 0, code: 0 },
  );
  console.log(`${area}: ${sum.exact}/${sum.total} exact, ${sum.code} code`);
  const failing = [...byKind]
    .filter(([, { total, exact }]) => exact < total)
    .map(([kind, { total, exact }]) => `${kind} ${exact}/${total}`);
  console.log(`  ${failing.join('  ')}`);
}

import { expect, it } from 'vitest';
import { unifiedDiff } from './difference.ts';

const lines = (...items: unknown[]): string => items.join('\n');

it('shows changes with three lines of context', () => {
  const before = lines(1, 2, 3, 4, 5, 6, 7, 8, 9);
  expect(unifiedDiff(before, before)).toBe('');
  expect(unifiedDiff(before, before.replace('5', 'x'))).toBe('@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n');
  expect(unifiedDiff(before, before.replace('1\n', ''))).toBe('@@ -1,4 +1,3 @@\n-1\n 2\n 3\n 4\n');
});

it('keeps changes apart that are far from each other', () => {
  const before = lines(...Array.from({ length: 20 }, (_, i) => i));
  const after = before.replace('\n2\n', '\nx\n').replace('\n17\n', '\ny\n');
  expect(unifiedDiff(before, after).match(/@@ .* @@/g)).toEqual(['@@ -1,6 +1,6 @@', '@@ -15,6 +15,6 @@']);
});

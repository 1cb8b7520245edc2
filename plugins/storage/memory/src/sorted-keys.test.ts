import { expect, it } from 'vitest';
import { SortedKeys } from './sorted-keys.ts';

it('keeps thousands of keys in order through insertions and deletions', () => {
  const sorted = new SortedKeys();
  const plain = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const key = `k/${(i * 7919) % 10_007}`;
    plain.add(key);
    sorted.add(key);
    if (i % 3 !== 0) continue;
    const gone = `k/${(((i * 31) % (i + 1)) * 7919) % 10_007}`;
    if (plain.delete(gone)) sorted.delete(gone);
  }
  const wanted = [...plain].sort();
  expect([...sorted.from('')]).toEqual(wanted);
  expect(sorted.size).toBe(wanted.length);
  expect([...sorted.from('k/5')]).toEqual(wanted.filter((key) => key >= 'k/5'));
});

it('is empty again when all keys are gone', () => {
  const sorted = new SortedKeys();
  for (let i = 0; i < 2000; i++) sorted.add(`${i}`);
  for (let i = 0; i < 2000; i++) sorted.delete(`${i}`);
  expect([...sorted.from('')]).toEqual([]);
  sorted.add('a');
  expect([...sorted.from('')]).toEqual(['a']);
});

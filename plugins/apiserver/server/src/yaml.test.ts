import { expect, test } from 'vitest';
import { parseYaml, toYaml } from './yaml.ts';

test.each([
  ['0644', 420],
  ['0o17', 15],
  ['0x1F', 31],
  ['-5', -5],
  ['12:30:45', '12:30:45'],
  ['2020-01-01', '2020-01-01'],
  ['yes', true],
  ['off', false],
  ['~', null],
  ['1.5', 1.5],
  ['08', 8],
])('%s reads as %j', (text, value) => {
  expect(parseYaml(`a: ${text}`)).toEqual({ a: value });
});

test('merge keys are merged, the first of several documents counts, an empty text is null', () => {
  expect(parseYaml('a: &x {b: 1}\nc: {<<: *x, d: 2}')).toEqual({ a: { b: 1 }, c: { b: 1, d: 2 } });
  expect(parseYaml('a: 1\n---\nb: 2')).toEqual({ a: 1 });
  expect(parseYaml('')).toBeNull();
});

test('what is written reads back the same, also where it looks like something else', () => {
  const value = { s: ['yes', '0644', '1e3', 'null', '', ' x', 'a: b', '12:30:45'], n: 1, e: {}, l: [] };
  expect(parseYaml(toYaml(JSON.stringify(value)))).toEqual(value);
});

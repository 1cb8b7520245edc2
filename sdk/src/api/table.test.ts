import { expect, test } from 'vitest';
import { accessModesText, age, firstOf, humanDuration, labelsText, nameColumn, selectorText, table } from './table.ts';

test('durations are shown to two or three figures', () => {
  const seconds: Record<string, string> = {
    0: '0s',
    119: '119s',
    120: '2m',
    200: '3m20s',
    599: '9m59s',
    600: '10m',
    10799: '179m',
    10800: '3h',
    13500: '3h45m',
    28800: '8h',
    172800: '2d',
    187200: '2d4h',
    691200: '8d',
  };
  for (const [value, text] of Object.entries(seconds)) expect([value, humanDuration(Number(value) * 1000)]).toEqual([value, text]);
  expect(humanDuration(3 * 365 * 86_400_000)).toBe('3y');
  expect(humanDuration(-500)).toBe('0s');
  expect(humanDuration(-5_000)).toBe('<invalid>');
  expect(age(undefined, 0)).toBe('<unknown>');
});

test('labels and selectors are shown sorted', () => {
  expect(labelsText({ b: '2', a: '1' })).toBe('a=1,b=2');
  expect(labelsText({})).toBe('<none>');
  expect(
    selectorText({
      matchLabels: { b: '1', a: '2' },
      matchExpressions: [
        { key: 'x', operator: 'In', values: ['q', 'p'] },
        { key: 'y', operator: 'DoesNotExist' },
      ],
    }),
  ).toBe('a=2,b=1,x in (p,q),!y');
  expect(selectorText({})).toBe('<none>');
});

test('a table has as many cells as columns, and knows which are for wide output', () => {
  const definition = table(nameColumn, ['+Extra', 'integer', (object) => object.n, 'core.v1.X.n']);
  expect(definition.columns).toEqual([
    { name: 'Name', type: 'string', format: 'name', priority: 0, describedBy: 'meta.v1.ObjectMeta.name' },
    { name: 'Extra', type: 'integer', format: '', priority: 1, describedBy: 'core.v1.X.n' },
  ]);
  expect(definition.cells({ metadata: { name: 'x' }, n: 3 }, 0)).toEqual(['x', 3]);
});

test('lists are cut with a count of what is left out', () => {
  expect(firstOf(['a', 'b', 'c', 'd'], 3)).toBe('a,b,c + 1 more...');
  expect(firstOf(['a'], 3)).toBe('a');
  expect(accessModesText(['ReadWriteMany', 'ReadWriteOnce'])).toBe('RWO,RWX');
});

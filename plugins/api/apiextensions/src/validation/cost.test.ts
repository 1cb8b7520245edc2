import { FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { expect, it } from 'vitest';
import { checkCosts } from './cost.ts';

const fields = (spec: object): string[] => {
  const errors = new FieldErrors();
  checkCosts({ type: 'object', properties: { spec } }, FieldPath.of('schema'), errors);
  return errors.list.map(({ field }) => field);
};
const strings = { type: 'array', items: { type: 'string' } };
const nested = [{ rule: 'self.a.all(x, self.a.all(y, x == y))' }];

it('a loop within a loop over lists without bounds is refused, with bounds it passes', () => {
  const rule = 'schema.properties[spec].x-kubernetes-validations[0].rule';
  expect(fields({ type: 'object', properties: { a: strings }, 'x-kubernetes-validations': nested })).toEqual([rule, rule, 'schema']);
  const bounded = { ...strings, maxItems: 100 };
  expect(fields({ type: 'object', properties: { a: bounded }, 'x-kubernetes-validations': nested })).toEqual([]);
});

it('a single loop, and text that only looks like one, pass', () => {
  const rules = [{ rule: 'self.a.all(x, x != "self.a.all(self.a.all(")' }];
  expect(fields({ type: 'object', properties: { a: strings }, 'x-kubernetes-validations': rules })).toEqual([]);
});

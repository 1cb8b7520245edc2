import { expect, test } from 'vitest';
import { parseFieldSelector, parseSelector, selectorOf } from './selector.ts';

test('a label selector string holds all its terms', () => {
  const selector = parseSelector('app=web, tier in (a,b),!old, env notin (dev), n>2, x!=y');
  expect(selector.matches({ app: 'web', tier: 'b', n: '3' })).toBe(true);
  expect(selector.matches({ app: 'web', tier: 'b', n: '2' })).toBe(false);
  expect(selector.matches({ app: 'web', tier: 'b', n: '3', old: '' })).toBe(false);
  expect(parseSelector('').matches({})).toBe(true);
  expect(parseSelector('a in ()').requirements[0]?.values).toEqual(['']);
});

test('malformed selectors say what was found and expected', () => {
  const messages: Record<string, string> = {
    ',': "found ',', expected: !, identifier, or 'end of string'",
    'a,': "found '', expected: identifier after ','",
    'a in b': "unable to parse requirement: found 'b' expected: '('",
    'a b': "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    'a>x': "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    'a=b c': "found 'c', expected: ',' or 'end of string'",
  };
  for (const [text, message] of Object.entries(messages)) expect(() => parseSelector(text)).toThrow(message);
});

test('no LabelSelector selects nothing, an empty one everything', () => {
  expect(selectorOf(undefined).matches({})).toBe(false);
  expect(selectorOf({}).matches({})).toBe(true);
  expect(selectorOf({ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }).matches({ b: '' })).toBe(true);
});

test('field selectors unescape values', () => {
  expect(parseFieldSelector('metadata.name=a\\,b,spec.x!=\\=')).toEqual([
    { field: 'metadata.name', operator: '=', value: 'a,b' },
    { field: 'spec.x', operator: '!=', value: '=' },
  ]);
  expect(() => parseFieldSelector('metadata.name>a')).toThrow("invalid selector: 'metadata.name>a'; can't understand 'metadata.name>a'");
});

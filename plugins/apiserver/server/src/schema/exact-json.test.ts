import { expect, test } from 'vitest';
import { MAX_DEPTH, NumberText, parseExactly } from './exact-json.ts';

const failure = (text: string): string => {
  try {
    parseExactly(text);
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
};

test('what JSON.parse reads is read alike', () => {
  for (const text of ['null', 'true', ' [1, -2.5, "a\\n\\u00e9"] ', '{"a":{"b":[{}, [], ""]}, "c": 0}', '"\\\\\\""']) {
    expect(parseExactly(text).value).toEqual(JSON.parse(text));
  }
});

test('repeated keys are remembered in their order, and merged as Go merges them', () => {
  const document = parseExactly('{"a":{"x":1},"b":2,"a":{"y":3}}');
  expect(document.value).toEqual({ a: { x: 1, y: 3 }, b: 2 });
  expect(document.keysOf(document.value as object)).toEqual(['a', 'b', 'a']);
});

test('a __proto__ key is a key like any other', () => {
  const { value } = parseExactly('{"__proto__":{"polluted":true}}');
  expect(Object.getOwnPropertyNames(value)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('numbers keep their text where JavaScript would print another', () => {
  const { value } = parseExactly('[1.0, 1e3, 12345678901234567890, 7]');
  const texts = (value as unknown[]).map((item) => (item instanceof NumberText ? item.text : item));
  expect(texts).toEqual(['1.0', '1e3', '12345678901234567890', 7]);
});

test('errors are worded as Go words them', () => {
  expect(failure('')).toBe('unexpected end of JSON input');
  expect(failure('{')).toBe('unexpected end of JSON input');
  expect(failure('{} x')).toBe("invalid character 'x' after top-level value");
  expect(failure('[1 2]')).toBe("invalid character '2' after array element");
  expect(failure('{"a" 1}')).toBe("invalid character '1' after object key");
  expect(failure('{"a":1 "b"}')).toBe(`invalid character '"' after object key:value pair`);
  expect(failure('{a:1}')).toBe("invalid character 'a' looking for beginning of object key string");
  expect(failure('{"a":NaN}')).toBe("invalid character 'N' looking for beginning of value");
  expect(failure('nul')).toBe('unexpected end of JSON input');
  expect(failure('nulx')).toBe("invalid character 'x' in literal null (expecting 'l')");
  expect(failure('"\u0001"')).toBe("invalid character '\\x01' in string literal");
  expect(failure('"\\q"')).toBe("invalid character 'q' in string escape code");
  expect(failure('-')).toBe('unexpected end of JSON input');
  expect(failure('1.x')).toBe("invalid character 'x' after decimal point in numeric literal");
});

test('nesting is limited without touching the stack', () => {
  const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(failure(deep(MAX_DEPTH))).toBe('no error');
  expect(failure(deep(MAX_DEPTH + 1))).toBe('exceeded max depth');
  expect(failure('{"a":'.repeat(1_000_000))).toBe('exceeded max depth');
});

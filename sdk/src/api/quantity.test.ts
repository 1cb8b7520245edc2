import { expect, test } from 'vitest';
import { canonicalQuantity, parseQuantity, Quantity, quantityMillis, quantityValue } from './quantity.ts';

test('quantities print in canonical form', () => {
  const forms: Record<string, string> = {
    '1000m': '1',
    '1500m': '1500m',
    '1.5': '1500m',
    '1024Mi': '1Gi',
    '1.5Ki': '1536',
    '0.5Ki': '512',
    '2e3': '2e3',
    '2E3': '2e3',
    '12e6': '12e6',
    '1e-3': '1e-3',
    '0.1': '100m',
    '100M': '100M',
    '1000k': '1M',
    '0': '0',
    '0Gi': '0',
    '-1': '-1',
    '+5': '5',
    '.5': '500m',
    '5.': '5',
    '1u': '1u',
    '1n': '1n',
    '0.0000000001': '1n',
    '10000000000000000000000Ki': '9223372036854775807',
    '123456789k': '123456789k',
    '1025Ki': '1025Ki',
    '1Ei': '1Ei',
    '100e0': '100',
  };
  for (const [text, canonical] of Object.entries(forms)) expect([text, canonicalQuantity(text)]).toEqual([text, canonical]);
});

test('malformed quantities are refused with the words clients know', () => {
  expect(() => parseQuantity('')).toThrow(/must match the regular expression/);
  expect(() => parseQuantity('1x')).toThrow(/must match the regular expression/);
  expect(() => parseQuantity('1KiB')).toThrow();
  expect(() => parseQuantity('.')).toThrow(/numeric part/);
  expect(() => parseQuantity('1Kin')).toThrow(/suffix/);
});

test('sums keep the format of the first addend and stay exact beyond 2^53', () => {
  expect(parseQuantity('1Gi').add(parseQuantity('500M')).toString()).toBe('1573741824');
  expect(parseQuantity('9007199254740993').add(Quantity.of(2)).toString()).toBe('9007199254740995');
  expect(parseQuantity('1').compare(parseQuantity('1000m'))).toBe(0);
  expect(quantityMillis('0.0001')).toBe(1);
  expect(quantityValue('100m')).toBe(1);
});

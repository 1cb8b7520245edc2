import { expect, test } from 'vitest';
import { base64Text, quantityText } from './scalars.ts';

test('a quantity keeps its text where upstream takes it for canonical', () => {
  for (const text of ['0', '5', '100m', '1500m', '1E3', '+5', '1e30', '64Mi', '1Ei', '9Gi']) expect(quantityText(text, false)).toBe(text);
});

test('other quantities are printed canonically', () => {
  const forms: Record<string, string> = {
    '0.5': '500m',
    '1000m': '1',
    '1024Ki': '1Mi',
    ' 5': '5',
    '1.5Mi': '1536Ki',
    '123456789.123456789123': '123456789123456790n',
    '1000': '1k',
  };
  for (const [text, canonical] of Object.entries(forms)) expect([text, quantityText(text, false)]).toEqual([text, canonical]);
});

test('resource lists round up to thousandths', () => {
  expect(quantityText('100u', true)).toBe('1m');
  expect(quantityText('0.0015', true)).toBe('2m');
  expect(quantityText('1m', true)).toBe('1m');
  expect(quantityText('123456789.123456789123', true)).toBe('123456789124m');
});

test('base64 is checked as Go checks it', () => {
  expect(base64Text('YQ==')).toBe('YQ==');
  expect(base64Text('')).toBe('');
  expect(base64Text('YW\nJj\r\n')).toBe('YWJj');
  expect(() => base64Text('YQ')).toThrow('illegal base64 data at input byte 0');
  expect(() => base64Text('Y Q==')).toThrow('illegal base64 data at input byte 1');
  expect(() => base64Text('YWJj_w==')).toThrow('illegal base64 data at input byte 4');
});

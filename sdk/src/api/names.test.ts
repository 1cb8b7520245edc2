import { expect, test } from 'vitest';
import { addressMessages, cidrMessages, formatAddress, parseAddress } from './addresses.ts';
import { formatDuration, parseDurationNs } from './duration.ts';
import { FieldErrors, FieldPath, quote } from './field-errors.ts';
import { dns1123Label, nameIsDNSSubdomain, qualifiedName } from './names.ts';

test('names are checked part by part', () => {
  expect(qualifiedName('example.com/a')).toEqual([]);
  expect(qualifiedName('/a')).toEqual(['prefix part must be non-empty']);
  expect(qualifiedName('a/b/c')[0]).toMatch(/^a valid label key must consist of/);
  expect(dns1123Label('a.b')).toEqual(['must not contain dots']);
  expect(nameIsDNSSubdomain('abc-', true)).toEqual([]);
  expect(nameIsDNSSubdomain('abc-', false)).toHaveLength(1);
});

test('addresses print canonically and ambiguous ones are refused', () => {
  for (const text of ['10.0.0.1', '::1', '2001:db8::ff00:42:8329', 'fe80::', '::']) {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(text);
  }
  expect(addressMessages('2001:DB8::1')).toEqual(['must be in canonical form ("2001:db8::1")']);
  expect(addressMessages('010.0.0.1')).toEqual(['must not have leading 0s']);
  expect(cidrMessages('10.0.0.1/8')).toEqual(['must not have bits set beyond the prefix length']);
});

test('durations round-trip in Go form', () => {
  for (const text of ['1h0m0s', '1.5s', '2ms', '0s', '-1m30s', '300ns', '1.5µs'])
    expect(formatDuration(parseDurationNs(text) ?? -1n)).toBe(text);
  expect(parseDurationNs('1')).toBeUndefined();
});

test('field errors print values as Go does and list each message once', () => {
  const errors = new FieldErrors();
  errors.invalid(FieldPath.of('spec', 'a').index(0), { x: '<' }, 'bad');
  errors.invalid(FieldPath.of('spec', 'a').index(0), { x: '<' }, 'bad');
  errors.required(FieldPath.of('b'));
  const status = errors.toStatusError('Foo', 'g', 'n').status;
  expect(status.message).toBe('Foo.g "n" is invalid: [spec.a[0]: Invalid value: {"x":"\\u003c"}: bad, b: Required value]');
  expect(status.details?.causes).toHaveLength(3);
  expect(quote('a\n\u0001é"')).toBe('"a\\n\\x01é\\""');
});

import { expect, test } from 'vitest';
import { canonicalMicroTime, canonicalTime, toSecondsAndNanos } from './go-time.ts';

test('times are printed in UTC, with whole seconds or with microseconds', () => {
  expect(canonicalTime('2026-01-02T03:04:05Z')).toBe('2026-01-02T03:04:05Z');
  expect(canonicalTime('2026-01-02T03:04:05.999+01:30')).toBe('2026-01-02T01:34:05Z');
  expect(canonicalMicroTime('2026-01-02T03:04:05.123456-02:00')).toBe('2026-01-02T05:04:05.123456Z');
  expect(canonicalTime('0001-01-01T00:00:00Z')).toBe('0001-01-01T00:00:00Z');
});

test('times before 1970 and fractions split into seconds and nanoseconds', () => {
  expect(toSecondsAndNanos('1970-01-01T00:00:01.5Z')).toEqual({ seconds: 1, nanos: 500_000_000 });
  expect(toSecondsAndNanos('1969-12-31T23:59:59Z')).toEqual({ seconds: -1, nanos: 0 });
});

test('a text that is no time is refused with the piece that does not fit', () => {
  const layout = '"2006-01-02T15:04:05Z07:00"';
  expect(() => canonicalTime('2026-01-01')).toThrow(`parsing time "2026-01-01" as ${layout}: cannot parse "" as "T"`);
  expect(() => canonicalMicroTime('2026-01-01T00:00:00.5Z')).toThrow(
    'as "2006-01-02T15:04:05.000000Z07:00": cannot parse ".5Z" as ".000000"',
  );
  expect(() => canonicalMicroTime('2026-01-01T00:00:00.1234567Z')).toThrow('cannot parse "7Z" as "Z07:00"');
  expect(() => canonicalTime('x')).toThrow(`parsing time "x" as ${layout}: cannot parse "x" as "2006"`);
  expect(() => canonicalTime('2026-13-01T00:00:00Z')).toThrow('parsing time "2026-13-01T00:00:00Z": month out of range');
  expect(() => canonicalTime('2026-02-30T00:00:00Z')).toThrow('day out of range');
  expect(() => canonicalTime('2026-01-01T25:00:00Z')).toThrow('hour out of range');
  expect(() => canonicalTime('2026-01-01T00:00:00Zx')).toThrow('extra text: "x"');
});

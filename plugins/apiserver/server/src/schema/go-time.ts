/** RFC 3339 as Go reads and writes it; a failed parse throws a RangeError with Go's words. */

const LAYOUT = '2006-01-02T15:04:05Z07:00';
const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00';
const SECONDS = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/;

/** Whole seconds in UTC, as metav1.Time prints them. */
export function canonicalTime(text: string): string {
  const plain = SECONDS.exec(text);
  if (plain && isDate(plain)) return text;
  const { ms } = parse(text);
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Microseconds in UTC, as metav1.MicroTime prints them; it reads nothing but six digits. */
export function canonicalMicroTime(text: string): string {
  const { ms, fraction } = parse(text, MICRO_LAYOUT);
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction}Z`;
}

/** Seconds and nanoseconds since 1970, for protobuf. */
export function toSecondsAndNanos(text: string): { seconds: number; nanos: number } {
  const { ms, fraction } = parse(text);
  return { seconds: Math.floor(ms / 1000), nanos: Number(fraction.padEnd(9, '0').slice(0, 9)) };
}

function isDate(match: RegExpExecArray): boolean {
  const [, year, month, day, hour, minute, second] = match.map(Number) as [number, number, number, number, number, number, number];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60 && second < 60;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Reads piece by piece, so that the error can name the piece of the layout that does not fit. */
function parse(text: string, layout = LAYOUT): { ms: number; fraction: string } {
  let rest = text;
  const take = (pattern: RegExp, piece: string): string => {
    const match = pattern.exec(rest);
    if (!match) throw failure(text, `cannot parse ${quoted(rest)} as ${quoted(piece)}`, layout);
    rest = rest.slice(match[0].length);
    return match[0];
  };
  const year = Number(take(/^\d{4}/, '2006'));
  take(/^-/, '-');
  const month = Number(take(/^\d\d/, '01'));
  if (month < 1 || month > 12) throw failure(text, 'month out of range');
  take(/^-/, '-');
  const day = Number(take(/^\d\d/, '02'));
  take(/^T/, 'T');
  const hour = Number(take(/^\d\d/, '15'));
  if (hour > 23) throw failure(text, 'hour out of range');
  take(/^:/, ':');
  const minute = Number(take(/^\d\d/, '04'));
  if (minute > 59) throw failure(text, 'minute out of range');
  take(/^:/, ':');
  const second = Number(take(/^\d\d/, '05'));
  if (second > 59) throw failure(text, 'second out of range');
  let fraction: string;
  if (layout === MICRO_LAYOUT) fraction = take(/^\.\d{6}/, '.000000');
  else {
    fraction = /^[.,]\d+/.exec(rest)?.[0] ?? '';
    rest = rest.slice(fraction.length);
  }
  const zone = take(/^(Z|[+-]\d\d:\d\d)/, 'Z07:00');
  if (rest !== '') throw failure(text, `extra text: ${quoted(rest)}`);
  if (day < 1 || day > daysIn(year, month)) throw failure(text, 'day out of range');
  let ms = Date.UTC(2000, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  date.setUTCFullYear(year, month - 1, day);
  ms = date.getTime();
  if (zone !== 'Z') {
    const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
    ms -= (zone.startsWith('-') ? -minutes : minutes) * 60_000;
  }
  return { ms, fraction: fraction.slice(1) };
}

/** Go names the layout only where a piece of it does not fit. */
function failure(text: string, detail: string, layout?: string): RangeError {
  return new RangeError(
    layout ? `parsing time ${quoted(text)} as ${quoted(layout)}: ${detail}` : `parsing time ${quoted(text)}: ${detail}`,
  );
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

import { canonicalQuantity, QUANTITY_FORMAT_ERROR } from '@kubernel/sdk/api';

/** Texts and bytes as Go's types read and write them. Failures are RangeErrors with Go's words. */

/**
 * A quantity as it is stored: the client's own text where upstream takes it for canonical already (`1500m`, `1E3`, `+5`), else the
 * canonical one (`1024Mi` -> `1Gi`). `milli` rounds up to thousandths, as resource lists are.
 */
export function quantityText(text: string, milli: boolean): string {
  if (PLAIN.test(text)) return text;
  const cache = milli ? milliCache : exactCache;
  let result = cache.get(text);
  if (result === undefined) {
    const trimmed = text.trim();
    result = milli && finerThanMilli(trimmed) ? roundedToMilli(trimmed) : keepsItsText(trimmed) ? trimmed : canonicalQuantity(trimmed);
    if (cache.size >= 4096) cache.clear();
    cache.set(text, result);
  }
  return result;
}

const PLAIN = /^(?:0|[1-9]\d{0,2}(?:m|k|M|G|T)?|[1-7](?:Ki|Mi|Gi|Ti)|1[0-57]{0,2}(?:Ki|Mi|Gi|Ti))$/;
const exactCache = new Map<string, string>();
const milliCache = new Map<string, string>();
const EXPONENT: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

interface Parts {
  digits: string;
  whole: string;
  fraction: string;
  exponent: number;
  binary: boolean;
}

function partsOf(text: string): Parts | undefined {
  const match = /^[+-]?0*(\d*)\.?(\d*)(?:([KMGTPE])i|([numkMGTPE]?)|[eE]([+-]?\d+))$/.exec(text);
  if (!match) return undefined;
  const [, whole = '', fraction = '', binary, suffix = '', exponent] = match;
  if (binary) return { digits: whole + fraction, whole, fraction, exponent: 'KMGTPE'.indexOf(binary) * 10 + 10, binary: true };
  return {
    digits: whole + fraction,
    whole,
    fraction,
    exponent: exponent === undefined ? (EXPONENT[suffix] ?? 0) : Number(exponent),
    binary: false,
  };
}

function keepsItsText(text: string): boolean {
  const parts = partsOf(text);
  if (!parts || parts.digits === '') return false;
  if (parts.binary) {
    const precision = 15 - parts.whole.length - Math.trunc((parts.exponent * 3) / 10) - 1;
    return parts.fraction === '' && precision >= 0 && (Number(parts.digits) & 7) !== 0;
  }
  if (parts.digits.length > 18) return false;
  const scale = parts.exponent - parts.fraction.length;
  return scale >= -9 && scale % 3 === 0 && !parts.digits.endsWith('000') && !parts.digits.startsWith('0');
}

function finerThanMilli(text: string): boolean {
  const parts = partsOf(text);
  return parts !== undefined && !parts.binary && parts.exponent - parts.fraction.length < -3;
}

function roundedToMilli(text: string): string {
  const canonical = canonicalQuantity(text);
  const match = /^(-?)(\d+)([nu])$/.exec(canonical);
  if (!match) return canonical;
  const [, sign = '', digits = '', unit] = match;
  const divisor = unit === 'n' ? 1_000_000n : 1_000n;
  const millis = (BigInt(digits) + divisor - 1n) / divisor;
  return canonicalQuantity(`${sign}${millis}m`);
}

export { QUANTITY_FORMAT_ERROR };

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Checks standard base64 with padding and gives its canonical text; line breaks are ignored, as Go does. */
export function base64Text(text: string): string {
  const clean = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
  if (BASE64.test(clean)) return clean.endsWith('=') ? Buffer.from(clean, 'base64').toString('base64') : clean;
  throw new RangeError(`illegal base64 data at input byte ${illegalByte(text)}`);
}

/** Where Go's decoder gives up: the first foreign byte, else the start of the group that is incomplete. */
function illegalByte(text: string): number {
  let inGroup = 0;
  let groupStart = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '\r' || char === '\n') continue;
    if (inGroup === 0) groupStart = i;
    if (char === '=') {
      if (inGroup < 2) return i;
      let next = i + 1;
      while (text[next] === '\r' || text[next] === '\n') next++;
      if (inGroup === 2) {
        if (next === text.length) return text.length;
        if (text[next] !== '=') return next;
        next++;
        while (text[next] === '\r' || text[next] === '\n') next++;
      }
      return next;
    }
    if (!/[A-Za-z0-9+/]/.test(char)) return i;
    inGroup = (inGroup + 1) % 4;
  }
  return groupStart;
}

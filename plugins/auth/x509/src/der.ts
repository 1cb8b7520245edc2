/**
 * The little of DER that Node's X509Certificate does not hand out unambiguously: the subject as attribute values.
 * (`subject` is one text in which a value may contain the separators.) X.680/X.690, RFC 5280 section 4.1.2.6.
 */

interface Element {
  tag: number;
  start: number;
  end: number;
}

/** Throws RangeError when the bytes end early. Only definite lengths, as DER has it. */
function elementAt(bytes: Uint8Array, at: number, limit: number): Element {
  const tag = byteAt(bytes, at, limit);
  let length = byteAt(bytes, at + 1, limit);
  let start = at + 2;
  if (length & 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4) throw new RangeError('indefinite or oversized DER length');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, start++, limit);
  }
  const end = start + length;
  if (end > limit) throw new RangeError('DER element runs past its parent');
  return { tag, start, end };
}

function byteAt(bytes: Uint8Array, at: number, limit: number): number {
  const value = at < limit ? bytes[at] : undefined;
  if (value === undefined) throw new RangeError('DER ends early');
  return value;
}

function children(bytes: Uint8Array, parent: Element): Element[] {
  const list: Element[] = [];
  for (let at = parent.start; at < parent.end; ) {
    const element = elementAt(bytes, at, parent.end);
    list.push(element);
    at = element.end;
  }
  return list;
}

const COMMON_NAME = '550403';
const ORGANIZATION = '55040a';

export interface Subject {
  commonName: string;
  organizations: string[];
}

/** The subject's common name (the last one, as Go's crypto/x509 takes it) and organizations, in order. */
export function subjectOf(certificate: Uint8Array): Subject {
  const outer = elementAt(certificate, 0, certificate.length);
  const tbs = elementAt(certificate, outer.start, outer.end);
  const fields = children(certificate, tbs);
  // version is an optional [0]; then serial, signature, issuer, validity, subject
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  const result: Subject = { commonName: '', organizations: [] };
  if (!subject) return result;
  for (const relative of children(certificate, subject)) {
    for (const attribute of children(certificate, relative)) {
      const [type, value] = children(certificate, attribute);
      if (!type || !value) continue;
      const oid = Buffer.from(certificate.subarray(type.start, type.end)).toString('hex');
      if (oid === COMMON_NAME) result.commonName = textOf(certificate, value);
      else if (oid === ORGANIZATION) result.organizations.push(textOf(certificate, value));
    }
  }
  return result;
}

function textOf(bytes: Uint8Array, value: Element): string {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset + value.start, value.end - value.start);
  if (value.tag === 0x1e) return Buffer.from(content).swap16().toString('utf16le'); // BMPString
  return content.toString(value.tag === 0x14 ? 'latin1' : 'utf8');
}

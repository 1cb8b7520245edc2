/** The organizations in a PKCS#10 request's subject (RFC 2986), which is all admission needs of it. */
export function organizationsOf(pem: string): string[] {
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]+?)-----END/.exec(pem)?.[1];
  if (!body) throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const der = Buffer.from(body, 'base64');
  const request = element(der, 0, der.length);
  const [info] = children(der, request);
  if (!info) throw new Error('malformed request');
  const subject = children(der, info)[1];
  if (!subject) throw new Error('malformed request');
  const organizations: string[] = [];
  for (const relative of children(der, subject)) {
    for (const attribute of children(der, relative)) {
      const [type, value] = children(der, attribute);
      if (type && value && der.toString('hex', type.start, type.end) === '55040a')
        organizations.push(der.toString('utf8', value.start, value.end));
    }
  }
  return organizations;
}

interface Element {
  start: number;
  end: number;
}

function element(der: Buffer, at: number, limit: number): Element {
  let length = der[at + 1] ?? -1;
  let start = at + 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4 || start + count > limit) throw new Error('malformed request');
    length = der.readUIntBE(start, count);
    start += count;
  }
  if (length < 0 || start + length > limit) throw new Error('malformed request');
  return { start, end: start + length };
}

function children(der: Buffer, parent: Element): Element[] {
  const list: Element[] = [];
  for (let at = parent.start; at < parent.end; ) {
    const child = element(der, at, parent.end);
    list.push(child);
    at = child.end;
  }
  return list;
}

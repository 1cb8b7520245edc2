import { isIP } from 'node:net';

/** IP addresses and CIDRs as the API reads them: IPv4 with leading zeros is read too, as decimal, where old objects may have it. */

export interface Address {
  family: 4 | 6;
  /** The address as a number of 32 or 128 bits. An IPv4-mapped IPv6 address is IPv4. */
  value: bigint;
  /** Written as `::ffff:1.2.3.4`. */
  mapped: boolean;
}

export interface Cidr extends Address {
  prefix: number;
  /** The first address of the network. */
  network: bigint;
}

/** undefined when `text` is no address. */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { family: 4, value: v4, mapped: false };
  if (isIP(text) !== 6 || text.includes('%')) return undefined;
  const value = parseV6(text);
  if (value >> 32n === 0xffffn) return { family: 4, value: value & 0xffffffffn, mapped: true };
  return { family: 6, value, mapped: false };
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^\d+$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseV6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let source = text;
  if (dotted) {
    const low = parseV4(dotted[2] ?? '') ?? 0n;
    source = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = source.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...new Array<string>(zeros).fill('0'), ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** undefined when `text` is no CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (!address || !/^\d{1,3}$/.test(length)) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  const prefix = address.mapped ? Number(length) - 96 : Number(length);
  if (prefix < 0 || prefix > bits) return undefined;
  const host = (1n << BigInt(bits - prefix)) - 1n;
  return { ...address, prefix, network: address.value & ~host };
}

/** The canonical text (RFC 5952 for IPv6). */
export function formatAddress({ family, value }: Pick<Address, 'family' | 'value'>): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

export const formatCidr = (cidr: Cidr): string => `${formatAddress({ family: cidr.family, value: cidr.network })}/${cidr.prefix}`;

export function cidrContains(cidr: Cidr, address: Pick<Address, 'family' | 'value'>): boolean {
  if (cidr.family !== address.family) return false;
  const host = BigInt((cidr.family === 4 ? 32 : 128) - cidr.prefix);
  return address.value >> host === cidr.network >> host;
}

export const INVALID_ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
export const INVALID_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** Messages for an address in any unambiguous form (KEP-4858), for the fields that have always been there. */
export function legacyAddressMessages(text: string): string[] {
  const address = parseAddress(text);
  if (!address) return [INVALID_ADDRESS];
  if (address.mapped) return ['must not be an IPv4-mapped IPv6 address'];
  return address.family === 4 && /(^|\.)0\d/.test(text) ? ['must not have leading 0s'] : [];
}

/** Messages for an address that must be in canonical form. */
export function addressMessages(text: string): string[] {
  const messages = legacyAddressMessages(text);
  const address = parseAddress(text);
  if (messages.length || !address) return messages;
  const canonical = formatAddress(address);
  return canonical === text ? [] : [`must be in canonical form ("${canonical}")`];
}

/** Messages for a CIDR in any unambiguous form. */
export function legacyCidrMessages(text: string): string[] {
  const cidr = parseCidr(text);
  if (!cidr) return [INVALID_CIDR];
  if (/\/0\d/.test(text) || (cidr.family === 4 && !cidr.mapped && /(^|\.)0\d/.test(text)))
    return ['must not have leading 0s in IP or prefix length'];
  if (cidr.mapped) return ['must not have an IPv4-mapped IPv6 address'];
  return cidr.network === cidr.value ? [] : ['must not have bits set beyond the prefix length'];
}

/** Messages for a CIDR that must be in canonical form. */
export function cidrMessages(text: string): string[] {
  const messages = legacyCidrMessages(text);
  const cidr = parseCidr(text);
  if (messages.length || !cidr) return messages;
  const canonical = formatCidr(cidr);
  return canonical === text ? [] : [`must be in canonical form ("${canonical}")`];
}

import type { Address, Cidr } from '../api/addresses.ts';
import { addressMessages, cidrContains, cidrMessages, formatAddress, parseAddress, parseCidr } from '../api/addresses.ts';
import type { CelEnvironment } from './engine.ts';

class Ip {
  readonly address: Address;
  constructor(address: Address) {
    this.address = address;
  }
  toString(): string {
    return formatAddress(this.address);
  }
}

class IpRange {
  readonly cidr: Cidr;
  constructor(cidr: Cidr) {
    this.cidr = cidr;
  }
  toString(): string {
    return `${formatAddress(this.cidr)}/${this.cidr.prefix}`;
  }
}

/** Kubernetes' libraries for IP addresses and CIDRs. */
export function registerAddresses(environment: CelEnvironment): void {
  const add = (signature: string, handler: (...given: never[]) => unknown): unknown =>
    environment.registerFunction(signature, handler as never);
  environment.registerType('IP', Ip as never);
  environment.registerType('CIDR', IpRange as never);
  add('isIP(string): bool', (text: string) => isAddress(text));
  add('ip(string): IP', (text: string) => ip(text));
  add('isCIDR(string): bool', (text: string) => isRange(text));
  add('cidr(string): CIDR', (text: string) => cidr(text));
  add('string(IP): string', (value: Ip) => value.toString());
  add('string(CIDR): string', (value: IpRange) => value.toString());
  add('IP.family(): int', ({ address }: Ip) => BigInt(address.family));
  const within = (signature: string, ranges: readonly string[]): unknown =>
    add(`IP.${signature}(): bool`, ({ address }: Ip) => ranges.some((range) => holds(cidr(range).cidr, address)));
  within('isUnspecified', ['0.0.0.0/32', '::/128']);
  within('isLoopback', ['127.0.0.0/8', '::1/128']);
  within('isLinkLocalMulticast', ['224.0.0.0/24', 'ff02::/16']);
  within('isLinkLocalUnicast', ['169.254.0.0/16', 'fe80::/10']);
  add('IP.isGlobalUnicast(): bool', ({ address }: Ip) => !NOT_GLOBAL.some((range) => holds(cidr(range).cidr, address)));
  add('CIDR.containsIP(IP): bool', ({ cidr: range }: IpRange, { address }: Ip) => holds(range, address));
  add('CIDR.containsIP(string): bool', ({ cidr: range }: IpRange, text: string) => holds(range, ip(text).address));
  add('CIDR.containsCIDR(CIDR): bool', ({ cidr: range }: IpRange, other: IpRange) => covers(range, other.cidr));
  add('CIDR.containsCIDR(string): bool', ({ cidr: range }: IpRange, text: string) => covers(range, cidr(text).cidr));
  add('CIDR.ip(): IP', ({ cidr: range }: IpRange) => new Ip(range));
  add('CIDR.prefixLength(): int', ({ cidr: range }: IpRange) => BigInt(range.prefix));
  add('CIDR.masked(): CIDR', ({ cidr: range }: IpRange) => new IpRange({ ...range, value: range.network }));
  environment.registerOperator('IP == IP', ((a: Ip, b: Ip) => a.toString() === b.toString()) as never);
  environment.registerOperator('CIDR == CIDR', ((a: IpRange, b: IpRange) => a.toString() === b.toString()) as never);
}

const NOT_GLOBAL = [
  '0.0.0.0/32',
  '::/128',
  '127.0.0.0/8',
  '::1/128',
  '224.0.0.0/4',
  'ff00::/8',
  '169.254.0.0/16',
  'fe80::/10',
  '255.255.255.255/32',
];

const isAddress = (text: string): boolean => addressMessages(text).length === 0;
const isRange = (text: string): boolean => parseCidr(text) !== undefined && (cidrMessages(text).length === 0 || !text.startsWith('0'));

function ip(text: string): Ip {
  const address = isAddress(text) ? parseAddress(text) : undefined;
  if (!address) throw new Error(`IP Address '${text}' parse error during conversion from string`);
  return new Ip(address);
}

function cidr(text: string): IpRange {
  const range = parseCidr(text);
  if (!range) throw new Error('network address parse error during conversion from string');
  return new IpRange(range);
}

function holds(range: Cidr, address: Pick<Address, 'family' | 'value'>): boolean {
  return range.family === address.family && cidrContains(range, address);
}

function covers(range: Cidr, other: Cidr): boolean {
  return other.prefix >= range.prefix && holds(range, { family: other.family, value: other.network });
}

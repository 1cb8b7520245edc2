import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkDnsLabel,
  checkImmutable,
  checkQualifiedName,
  dns1123Label,
  dns1123Subdomain,
  FieldPath,
  legacyAddressMessages,
  nameIsDNSSubdomain,
  parseAddress,
  validateLabels,
} from '@kubernel/sdk/api';

/** Endpoint slices (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/). */

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export function checkEndpointSlice(slice: Decoded, errors: FieldErrors): void {
  checkAddressType(slice.addressType ?? '', errors);
  checkEndpoints(slice.endpoints ?? [], slice.addressType ?? '', FieldPath.of('endpoints'), errors);
  checkPorts(slice.ports ?? [], FieldPath.of('ports'), errors);
}

function checkAddressType(type: string, errors: FieldErrors): void {
  const at = FieldPath.of('addressType');
  if (type === '') errors.required(at);
  else if (!ADDRESS_TYPES.includes(type)) errors.notSupported(at, type, ADDRESS_TYPES);
}

function checkEndpoints(endpoints: readonly Decoded[], type: string, path: FieldPath, errors: FieldErrors): void {
  if (endpoints.length > 1000) {
    errors.tooMany(path, endpoints.length, 1000);
    return;
  }
  endpoints.forEach((endpoint, i) => {
    const at = path.index(i);
    const addresses: string[] = endpoint.addresses ?? [];
    if (addresses.length === 0) errors.required(at.child('addresses'), 'must contain at least 1 address');
    else if (addresses.length > 100) errors.tooMany(at.child('addresses'), addresses.length, 100);
    else for (const [j, address] of addresses.entries()) checkAddress(address, type, at.child('addresses'), j, errors);
    if (endpoint.nodeName !== undefined)
      errors.invalidEach(at.child('nodeName'), endpoint.nodeName, nameIsDNSSubdomain(endpoint.nodeName, false));
    if (endpoint.hostname !== undefined) errors.invalidEach(at.child('hostname'), endpoint.hostname, dns1123Label(endpoint.hostname));
    if (endpoint.hints) checkHints(endpoint.hints, at.child('hints'), errors);
  });
}

function checkAddress(address: string, type: string, path: FieldPath, index: number, errors: FieldErrors): void {
  const at = path.index(index);
  if (type === 'FQDN') {
    errors.invalidEach(at, address, dns1123Subdomain(address));
    return;
  }
  if (type !== 'IPv4' && type !== 'IPv6') return;
  errors.invalidEach(at, address, legacyAddressMessages(address));
  const parsed = parseAddress(address);
  if (!parsed) return;
  if (type === 'IPv4' && parsed.family !== 4) errors.invalid(path, address, 'must be an IPv4 address');
  if (type === 'IPv6' && parsed.family !== 6) errors.invalid(path, address, 'must be an IPv6 address');
  checkNonSpecial(address, parsed, at, errors);
}

function checkNonSpecial(text: string, { family, value }: { family: 4 | 6; value: bigint }, path: FieldPath, errors: FieldErrors): void {
  const top = (bits: number): bigint => value >> BigInt((family === 4 ? 32 : 128) - bits);
  if (value === 0n) errors.invalid(path, text, `may not be unspecified (${text})`);
  if (family === 4 ? top(8) === 127n : value === 1n) errors.invalid(path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (family === 4 ? top(16) === 0xa9fen : top(10) === 0x3fan)
    errors.invalid(path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  if (family === 4 ? top(24) === 0xe00000n : top(16) === 0xff02n) {
    errors.invalid(path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
}

function checkHints(hints: Decoded, path: FieldPath, errors: FieldErrors): void {
  for (const [field, check] of [
    ['forZones', false],
    ['forNodes', true],
  ] as const) {
    const items: Decoded[] = hints[field] ?? [];
    const at = path.child(field);
    if (items.length > 8) {
      errors.tooMany(at, items.length, 8);
      continue;
    }
    items.forEach(({ name = '' }, i) => {
      if (items.findIndex((other) => (other.name ?? '') === name) < i) errors.duplicate(at.index(i).child('name'), name);
      if (check) errors.invalidEach(at.index(i).child('name'), name, nameIsDNSSubdomain(name, false));
      else validateLabelValue(name, at.index(i).child('name'), errors);
    });
  }
}

function validateLabelValue(value: string, path: FieldPath, errors: FieldErrors): void {
  validateLabels({ a: value }, path, errors);
}

function checkPorts(ports: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  if (ports.length > 20_000) {
    errors.tooMany(path, ports.length, 20_000);
    return;
  }
  const names = new Set<string>();
  ports.forEach(({ name = '', protocol, appProtocol }, i) => {
    const at = path.index(i);
    if (name) checkDnsLabel(name, at.child('name'), errors);
    if (names.has(name)) errors.duplicate(at.child('name'), name);
    names.add(name);
    if (protocol === undefined) errors.required(at.child('protocol'));
    else if (!PROTOCOLS.includes(protocol)) errors.notSupported(at.child('protocol'), protocol, PROTOCOLS);
    if (appProtocol !== undefined) checkQualifiedName(appProtocol, at.child('appProtocol'), errors);
  });
}

export function checkEndpointSliceUpdate(slice: Decoded, old: Decoded, errors: FieldErrors): void {
  checkImmutable(slice.addressType, old.addressType, FieldPath.of('addressType'), errors);
}

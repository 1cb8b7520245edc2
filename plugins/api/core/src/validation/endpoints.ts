import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkDnsLabel,
  checkEnum,
  checkQualifiedName,
  FieldPath,
  legacyAddressMessages,
  nameIsDNSSubdomain,
  parseAddress,
  portNumber,
} from '@kubernel/sdk/api';
import { PROTOCOLS } from './containers.ts';

/** Endpoints, and the addresses nobody outside a node could mean. */

export function checkEndpoints(endpoints: Decoded, errors: FieldErrors): void {
  (endpoints.subsets ?? []).forEach((subset: Decoded, i: number) => {
    const at = FieldPath.of('subsets').index(i);
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length === 0 && notReadyAddresses.length === 0) errors.required(at, 'must specify `addresses` or `notReadyAddresses`');
    for (const field of ['addresses', 'notReadyAddresses']) {
      (subset[field] ?? []).forEach((address: Decoded, j: number) => {
        checkAddress(address, at.child(field).index(j), errors);
      });
    }
    ports.forEach((port: Decoded, j: number) => {
      checkPort(port, ports.length > 1, at.child('ports').index(j), errors);
    });
  });
}

function checkAddress(address: Decoded, path: FieldPath, errors: FieldErrors): void {
  const ip = address.ip ?? '';
  errors.invalidEach(path.child('ip'), ip, legacyAddressMessages(ip));
  if (address.hostname) checkDnsLabel(address.hostname, path.child('hostname'), errors);
  if (address.nodeName !== undefined)
    errors.invalidEach(path.child('nodeName'), address.nodeName, nameIsDNSSubdomain(address.nodeName, false));
  checkNonSpecialAddress(ip, path.child('ip'), errors);
}

function checkPort(port: Decoded, needsName: boolean, path: FieldPath, errors: FieldErrors): void {
  if (needsName && !port.name) errors.required(path.child('name'));
  else if (port.name) checkDnsLabel(port.name, path.child('name'), errors);
  errors.invalidEach(path.child('port'), port.port ?? 0, portNumber(port.port ?? 0));
  checkEnum(port.protocol, path.child('protocol'), errors, PROTOCOLS);
  if (port.appProtocol !== undefined) checkQualifiedName(port.appProtocol, path.child('appProtocol'), errors);
}

export function checkNonSpecialAddress(text: string, path: FieldPath, errors: FieldErrors): void {
  const address = parseAddress(text);
  if (!address) {
    errors.invalid(path, text, 'must be a valid IP address');
    return;
  }
  const { family, value } = address;
  const top = (bits: number): bigint => value >> BigInt((family === 4 ? 32 : 128) - bits);
  if (value === 0n) errors.invalid(path, text, `may not be unspecified (${text})`);
  if (family === 4 ? top(8) === 127n : value === 1n) errors.invalid(path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (family === 4 ? top(16) === 0xa9fen : top(10) === 0x3fan)
    errors.invalid(path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  if (family === 4 ? top(24) === 0xe00000n : top(16) === 0xff02n) {
    errors.invalid(path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
}

import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  addressMessages,
  checkRequired,
  cidrContains,
  cidrMessages,
  dns1123Subdomain,
  FieldPath,
  goJson,
  legacyCidrMessages,
  nameIsPathSegment,
  PrintedValue,
  parseCidr,
  portName,
  portNumber,
  semanticEqual,
  validateLabelSelector,
} from '@kubernel/sdk/api';

/** Network policies, service CIDRs and the addresses taken from them. */

const SPEC = FieldPath.of('spec');

export function checkNetworkPolicy(policy: Decoded, errors: FieldErrors): void {
  const { podSelector, ingress = [], egress = [], policyTypes = [] } = policy.spec ?? {};
  validateLabelSelector(podSelector, SPEC.child('podSelector'), errors);
  for (const [field, list, peers] of [
    ['ingress', ingress, 'from'],
    ['egress', egress, 'to'],
  ] as const) {
    list.forEach((rule: Decoded, i: number) => {
      const at = SPEC.child(field).index(i);
      (rule.ports ?? []).forEach((port: Decoded, j: number) => {
        checkPort(port, at.child('ports').index(j), errors);
      });
      (rule[peers] ?? []).forEach((peer: Decoded, j: number) => {
        checkPeer(peer, at.child(peers).index(j), errors);
      });
    });
  }
  const types = SPEC.child('policyTypes');
  if (policyTypes.length > 2) {
    errors.invalid(types, policyTypes, 'may not specify more than two policyTypes');
    return;
  }
  policyTypes.forEach((type: string, i: number) => {
    if (type !== 'Ingress' && type !== 'Egress') errors.notSupported(types.index(i), type, ['Ingress', 'Egress']);
  });
}

function checkPort({ port, endPort, protocol }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const supported = ['TCP', 'UDP', 'SCTP'];
  if (protocol !== undefined && !supported.includes(protocol)) errors.notSupported(path.child('protocol'), protocol, supported);
  const at = path.child('endPort');
  if (typeof port === 'string') {
    if (endPort !== undefined) errors.invalid(at, endPort, 'may not be specified when `port` is non-numeric');
    errors.invalidEach(path.child('port'), port, portName(port));
  } else if (port !== undefined) {
    errors.invalidEach(path.child('port'), port, portNumber(port));
    if (endPort === undefined) return;
    // Upstream prints the port here where it means the end of the range.
    if (endPort < port) errors.invalid(at, port, 'must be greater than or equal to `port`');
    errors.invalidEach(at, endPort, portNumber(endPort));
  } else if (endPort !== undefined) {
    errors.invalid(at, endPort, 'may not be specified when `port` is not specified');
  }
}

function checkPeer({ podSelector, namespaceSelector, ipBlock }: Decoded, path: FieldPath, errors: FieldErrors): void {
  validateLabelSelector(podSelector, path.child('podSelector'), errors);
  validateLabelSelector(namespaceSelector, path.child('namespaceSelector'), errors);
  if (ipBlock) checkBlock(ipBlock, path.child('ipBlock'), errors);
  if (!podSelector && !namespaceSelector && !ipBlock) errors.required(path, 'must specify a peer');
  else if ((podSelector || namespaceSelector) && ipBlock) errors.forbidden(path, 'may not specify both ipBlock and another peer');
}

function checkBlock({ cidr = '', except = [] }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (!checkRequired(cidr, path.child('cidr'), errors)) return;
  const messages = legacyCidrMessages(cidr);
  errors.invalidEach(path.child('cidr'), cidr, messages);
  const block = parseCidr(cidr);
  if (messages.length || !block) return;
  except.forEach((text: string, i: number) => {
    const at = path.child('except').index(i);
    const problems = legacyCidrMessages(text);
    errors.invalidEach(at, text, problems);
    const inner = parseCidr(text);
    if (problems.length || !inner) return;
    if (!cidrContains(block, { family: inner.family, value: inner.network }) || inner.prefix <= block.prefix) {
      errors.invalid(at, text, 'must be a strict subset of `cidr`');
    }
  });
}

export function checkServiceCidr(object: Decoded, errors: FieldErrors): void {
  const cidrs: string[] = object.spec?.cidrs ?? [];
  const at = SPEC.child('cidrs');
  if (cidrs.length === 0) {
    errors.required(at, 'at least one CIDR required');
    return;
  }
  if (cidrs.length > 2) {
    errors.invalid(at, new PrintedValue(goJson({ CIDRs: cidrs })), 'may only hold up to 2 values');
    return;
  }
  cidrs.forEach((cidr, i) => {
    errors.invalidEach(at.index(i), cidr, cidrMessages(cidr));
  });
  const families = cidrs.map((cidr) => parseCidr(cidr)?.family);
  if (families.includes(undefined)) return;
  if (cidrs.length > 1 && new Set(families).size < 2) {
    errors.invalid(at, cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64');
  }
}

/** A range may only grow by its second family. */
export function checkServiceCidrUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  const now: string[] = object.spec?.cidrs ?? [];
  const then: string[] = old.spec?.cidrs ?? [];
  const at = SPEC.child('cidrs');
  then.forEach((cidr, i) => {
    if (now[i] === undefined) errors.invalid(at, now, 'field is immutable');
    else if (now[i] !== cidr) errors.invalid(at.index(i), now[i], 'field is immutable');
  });
  if (now.length > then.length) checkServiceCidr(object, errors);
}

export const nameIsAddress = (name: string): string[] => addressMessages(name);

export function checkAddress(object: Decoded, errors: FieldErrors): void {
  const at = SPEC.child('parentRef');
  const ref = object.spec?.parentRef;
  if (!ref) {
    errors.required(at);
    return;
  }
  const { group = '', resource = '', namespace = '', name = '' } = ref;
  if (group) errors.invalidEach(at.child('group'), group, dns1123Subdomain(group));
  if (checkRequired(resource, at.child('resource'), errors))
    errors.invalidEach(at.child('resource'), resource, nameIsPathSegment(resource, false));
  if (checkRequired(name, at.child('name'), errors)) errors.invalidEach(at.child('name'), name, nameIsPathSegment(name, false));
  if (namespace) errors.invalidEach(at.child('namespace'), namespace, nameIsPathSegment(namespace, false));
}

export function checkAddressUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  if (semanticEqual(object.spec?.parentRef, old.spec?.parentRef)) return;
  const { group = '', resource = '', namespace = '', name = '' } = object.spec?.parentRef ?? {};
  const printed = goJson({ Group: group, Resource: resource, Namespace: namespace, Name: name });
  errors.invalid(SPEC.child('parentRef'), new PrintedValue(printed), 'field is immutable');
}

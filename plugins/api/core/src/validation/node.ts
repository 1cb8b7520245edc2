import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkEnum,
  configMapKey,
  FieldPath,
  goJson,
  labelValue,
  legacyCidrMessages,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  PrintedValue,
  parseCidr,
  validateLabelKey,
} from '@kubernel/sdk/api';
import { TAINT_EFFECTS } from './affinity.ts';
import { checkResourceAmount } from './resource-names.ts';

/** Nodes. */

const METADATA = FieldPath.of('metadata');
const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');

function checkTaints(taints: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>();
  taints.forEach(({ key = '', value = '', effect = '', timeAdded }, i) => {
    const at = path.index(i);
    validateLabelKey(key, at.child('key'), errors);
    const messages = labelValue(value);
    if (messages.length) errors.invalid(at.child('value'), value, messages.join(';'));
    checkEnum(effect, at.child('effect'), errors, TAINT_EFFECTS);
    const pair = `${effect}/${key}`;
    if (seen.has(pair)) {
      const printed = goJson({ Key: key, Value: value, Effect: effect, TimeAdded: timeAdded ?? null });
      errors.duplicate(at, new PrintedValue(printed), 'taints must be unique by key and effect pair');
    }
    seen.add(pair);
  });
}

function checkAmounts(node: Decoded, errors: FieldErrors): void {
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const [name, amount] of Object.entries(node.status?.[field] ?? {}))
      checkResourceAmount(name, amount, STATUS.child(field, name), errors);
  }
}

export function checkNode(node: Decoded, errors: FieldErrors): void {
  const spec: Decoded = node.spec ?? {};
  checkTaints(spec.taints ?? [], METADATA.child('taints'), errors);
  checkAmounts(node, errors);
  const cidrs: string[] = spec.podCIDRs ?? [];
  const at = SPEC.child('podCIDRs');
  cidrs.forEach((cidr, i) => {
    errors.invalidEach(at.index(i), cidr, legacyCidrMessages(cidr));
  });
  if (cidrs.length < 2) return;
  const families = cidrs.map((cidr) => parseCidr(cidr)?.family);
  const invalid = cidrs.find((_, i) => families[i] === undefined);
  if (invalid !== undefined)
    errors.internal(
      at,
      `invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[0]: <nil> (invalid CIDR address: ${invalid})`,
    );
  if (cidrs.length > 2 || new Set(families).size < 2) errors.invalid(at, cidrs, 'may specify no more than one CIDR for each IP family');
  cidrs.forEach((cidr, i) => {
    if (cidrs.indexOf(cidr) < i) errors.duplicate(at.index(i), cidr);
  });
}

export function checkNodeUpdate(node: Decoded, old: Decoded, errors: FieldErrors): void {
  const spec: Decoded = node.spec ?? {};
  const before: Decoded = old.spec ?? {};
  checkAmounts(node, errors);
  const addresses = new Set<string>();
  (node.status?.addresses ?? []).forEach(({ type = '', address = '' }: Decoded, i: number) => {
    const key = `${type}/${address}`;
    if (addresses.has(key))
      errors.duplicate(STATUS.child('addresses').index(i), new PrintedValue(goJson({ Type: type, Address: address })));
    addresses.add(key);
  });
  const cidrs: string[] = spec.podCIDRs ?? [];
  const oldCidrs: string[] = before.podCIDRs ?? [];
  const cidrMessage = 'node updates may not change podCIDR except from "" to valid';
  if (oldCidrs.length && oldCidrs.length !== cidrs.length) errors.forbidden(SPEC.child('podCIDRs'), cidrMessage);
  else for (const [i, cidr] of oldCidrs.entries()) if (cidr !== cidrs[i]) errors.forbidden(SPEC.child('podCIDRs'), cidrMessage);
  if (before.providerID && before.providerID !== spec.providerID) {
    errors.forbidden(SPEC.child('providerID'), 'node updates may not change providerID except from "" to valid');
  }
  if (spec.configSource) checkConfigSource(spec.configSource, SPEC.child('configSource'), errors);
  checkTaints(spec.taints ?? [], METADATA.child('taints'), errors);
  if ((spec.externalID ?? '') !== (before.externalID ?? '')) errors.forbidden(SPEC.child('externalID'), 'may not be updated');
}

/** A field that has no effect any more, but is checked as it was. */
function checkConfigSource(source: Decoded, path: FieldPath, errors: FieldErrors): void {
  const map = source.configMap;
  if (!map) {
    errors.invalid(path, new PrintedValue('{"ConfigMap":null}'), 'exactly one reference subfield must be non-nil');
    return;
  }
  const at = path.child('configMap');
  for (const field of ['uid', 'resourceVersion']) if (map[field]) errors.forbidden(at.child(field), `${field} must not be set in spec`);
  for (const [field, check] of [
    ['namespace', nameIsDNSLabel],
    ['name', nameIsDNSSubdomain],
    ['kubeletConfigKey', configMapKey],
  ] as const) {
    if (!map[field]) errors.required(at.child(field), `${field} must be set`);
    else errors.invalidEach(at.child(field), map[field], check(map[field], false));
  }
}

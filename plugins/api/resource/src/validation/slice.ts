import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  byteLength,
  checkImmutable,
  dns1123Subdomain,
  FieldPath,
  labelValue,
  nameIsDNSSubdomain,
  qualifiedName,
  validateLabelKey,
} from '@kubernel/sdk/api';
import { checkDriver, checkItems, checkLabel } from './device-checks.ts';

/** Resource slices: the devices that a driver offers. */

const SPEC = FieldPath.of('spec');
const MAX_POOL_NAME = 253;
const MAX_DEVICES = 128;
const MAX_DEVICES_WITH_TAINTS = 64;
const MAX_PROPERTIES = 32;
const MAX_VALUE = 64;
const MAX_TAINTS = 16;
const MAX_COUNTER_SETS = 8;
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;
const NODE_RULE = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
const VALUES = ['int', 'bool', 'string', 'version', 'ints', 'bools', 'strings', 'versions'];

const byName = ({ name = '' }: Decoded): string => name;

export function checkSlice(object: Decoded, old: Decoded | undefined, errors: FieldErrors, context: ValidationContext): void {
  const spec: Decoded = object.spec ?? {};
  checkDriver(spec.driver ?? '', SPEC.child('driver'), errors);
  checkPool(spec.pool ?? {}, SPEC.child('pool'), errors);
  if (old) {
    checkImmutable(spec.pool?.name, old.spec?.pool?.name, SPEC.child('pool', 'name'), errors);
    for (const field of ['driver', 'nodeName']) checkImmutable(spec[field], old.spec?.[field], SPEC.child(field), errors);
  }
  checkNodes(spec, errors, context);
  if (spec.sharedCounters && spec.devices) errors.invalid(SPEC, '', 'only one of `sharedCounters` or `devices` is allowed');
  const devices: Decoded[] = spec.devices ?? [];
  const isAdvanced = devices.some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length);
  checkItems(
    devices,
    isAdvanced ? MAX_DEVICES_WITH_TAINTS : MAX_DEVICES,
    SPEC.child('devices'),
    errors,
    (device, at) => checkDevice(device, at, errors),
    byName,
  );
  checkItems<Decoded>(
    spec.sharedCounters ?? [],
    MAX_COUNTER_SETS,
    SPEC.child('sharedCounters'),
    errors,
    (set, at) => checkCounters(set, 'name', at, errors),
    byName,
  );
}

function checkPool({ name = '', generation = 0, resourceSliceCount = 0 }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const at = path.child('name');
  if (!name) errors.required(at);
  else if (byteLength(name) > MAX_POOL_NAME) errors.tooLong(at, MAX_POOL_NAME);
  if (name) for (const part of name.split('/')) errors.invalidEach(at, part, dns1123Subdomain(part));
  if (resourceSliceCount <= 0) errors.invalid(path.child('resourceSliceCount'), resourceSliceCount, 'must be greater than zero');
  if (generation < 0) errors.invalid(path.child('generation'), generation, 'must be greater than or equal to zero');
}

function checkNodes(spec: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const set: string[] = [];
  const { nodeName, nodeSelector } = spec;
  if (nodeName === '') errors.invalid(SPEC.child('nodeName'), nodeName, 'must be either unset or set to a non-empty string');
  else if (nodeName != null) {
    set.push('`nodeName`');
    errors.invalidEach(SPEC.child('nodeName'), nodeName, nameIsDNSSubdomain(nodeName, false));
  }
  if (nodeSelector) {
    set.push('`nodeSelector`');
    const at = SPEC.child('nodeSelector');
    context.validate('core.v1.NodeSelector', nodeSelector, at, errors);
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) errors.invalid(at.child('nodeSelectorTerms'), terms, 'must have exactly one node selector term');
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection']) {
    if (spec[field]) set.push(`\`${field}\``);
    else if (spec[field] === false) errors.invalid(SPEC.child(field), false, 'must be either unset or set to true');
  }
  if (set.length === 0) errors.required(SPEC, NODE_RULE);
  else if (set.length > 1) errors.invalid(SPEC, `{${set.join(', ')}}`, `${NODE_RULE}, but multiple fields are set`);
}

function checkDevice(device: Decoded, path: FieldPath, errors: FieldErrors): void {
  checkLabel(device.name ?? '', path.child('name'), errors);
  const attributes: [string, Decoded][] = Object.entries(device.attributes ?? {});
  const capacities = Object.keys(device.capacity ?? {});
  const count = attributes.length + capacities.length;
  if (count > MAX_PROPERTIES)
    errors.invalid(path, count, `the total number of attributes and capacities must not exceed ${MAX_PROPERTIES}`);
  for (const [name, value] of attributes) {
    checkPropertyName(name, path.child('attributes').key(name), errors);
    checkAttribute(value ?? {}, path.child('attributes').key(name), errors);
  }
  for (const name of capacities) checkPropertyName(name, path.child('capacity').key(name), errors);
  checkItems<Decoded>(device.taints ?? [], MAX_TAINTS, path.child('taints'), errors, (taint, at) => checkTaint(taint, at, errors));
  checkItems<Decoded>(
    device.consumesCounters ?? [],
    -1,
    path.child('consumesCounters'),
    errors,
    (use, at) => checkCounters(use, 'counterSet', at, errors),
    ({ counterSet = '' }) => counterSet,
  );
}

function checkPropertyName(name: string, path: FieldPath, errors: FieldErrors): void {
  const parts = name.split('/');
  const id = parts.at(-1) ?? '';
  if (name === '') errors.required(path, 'name required');
  else if (parts.length > 2) errors.invalidEach(path, name, qualifiedName(name));
  else {
    if (parts.length === 2) errors.invalidEach(path, parts[0], dns1123Subdomain(parts[0] ?? ''));
    if (byteLength(id) > 32) errors.tooLong(path, 32);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(id)) {
      errors.invalid(
        path,
        id,
        "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
      );
    }
  }
}

function checkAttribute(attribute: Decoded, path: FieldPath, errors: FieldErrors): void {
  const set = VALUES.filter((field) => attribute[field] != null);
  if (typeof attribute.string === 'string' && byteLength(attribute.string) > MAX_VALUE) errors.tooLong(path.child('string'), MAX_VALUE);
  const { version } = attribute;
  if (typeof version === 'string' && !SEMVER.test(version))
    errors.invalid(path.child('version'), version, 'must be a string compatible with semver.org spec 2.0.0');
  if (typeof version === 'string' && byteLength(version) > MAX_VALUE) errors.tooLong(path.child('version'), MAX_VALUE);
  if (set.length === 0) errors.required(path, 'exactly one value must be specified');
  else if (set.length > 1) errors.invalid(path, attribute, 'exactly one value must be specified');
}

function checkTaint({ key = '', value = '', effect = '' }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const effects = ['NoExecute', 'NoSchedule', 'None'];
  validateLabelKey(key, path.child('key'), errors);
  if (value) errors.invalidEach(path.child('value'), value, labelValue(value));
  if (!effect) errors.required(path.child('effect'));
  else if (!effects.includes(effect)) errors.notSupported(path.child('effect'), effect, effects);
}

function checkCounters(object: Decoded, field: 'name' | 'counterSet', path: FieldPath, errors: FieldErrors): void {
  if (!object[field]) errors.required(path.child(field));
  else checkLabel(object[field], path.child(field), errors);
  const names = Object.keys(object.counters ?? {});
  if (names.length === 0) errors.required(path.child('counters'));
  for (const name of names) checkLabel(name, path.child('counters').key(name), errors);
}

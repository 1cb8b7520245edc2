import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  dns1123Subdomain,
  FieldPath,
  IMMUTABLE,
  labelValue,
  qualifiedName,
  semanticEqual,
  validateAnnotations,
  validateLabelKey,
  validateLabels,
} from '@kubernel/sdk/api';
import { checkConfiguration, checkDriver, checkItems, checkLabel, checkSelectors } from './device-checks.ts';
import { goForm } from './go-form.ts';

/** Resource claims and their templates (https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/). */

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const MAX_REQUESTS = 32;
const MAX_ALTERNATIVES = 8;
const MAX_CONSUMERS = 256;
const MODES = ['All', 'ExactCount'];
const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];

/** Names of requests and, behind a slash, of their alternatives. */
function requestNames(devices: Decoded): Set<string> {
  const names = new Set<string>();
  for (const request of (devices.requests ?? []) as Decoded[]) {
    names.add(request.name ?? '');
    for (const alternative of (request.firstAvailable ?? []) as Decoded[]) names.add(`${request.name ?? ''}/${alternative.name ?? ''}`);
  }
  return names;
}

const byName = ({ name = '' }: Decoded): string => name;

export function checkClaimSpec(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const devices: Decoded = spec.devices ?? {};
  const at = path.child('devices');
  const names = requestNames(devices);
  checkItems<Decoded>(
    devices.requests ?? [],
    MAX_REQUESTS,
    at.child('requests'),
    errors,
    (request, item) => checkRequest(request, item, errors),
    byName,
  );
  checkItems<Decoded>(devices.constraints ?? [], MAX_REQUESTS, at.child('constraints'), errors, (constraint, item) =>
    checkConstraint(constraint, names, item, errors),
  );
  checkItems<Decoded>(devices.config ?? [], MAX_REQUESTS, at.child('config'), errors, (config, item) => {
    checkReferences(config.requests ?? [], names, item.child('requests'), errors);
    checkConfiguration(config, item, errors);
  });
}

function checkRequest(request: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { name = '', exactly } = request;
  const alternatives: Decoded[] = request.firstAvailable ?? [];
  checkLabel(name, path.child('name'), errors);
  const rule = 'exactly one of `exactly` or `firstAvailable` is required';
  if (!exactly && alternatives.length === 0) errors.required(path, rule);
  else if (exactly && alternatives.length > 0) errors.invalid(path, null, `${rule}, but multiple fields are set`);
  else if (exactly) checkDevices(exactly, path.child('exactly'), errors);
  else {
    checkItems(
      alternatives,
      MAX_ALTERNATIVES,
      path.child('firstAvailable'),
      errors,
      (alternative, at) => {
        checkLabel(alternative.name ?? '', at.child('name'), errors);
        checkDevices(alternative, at, errors);
      },
      byName,
    );
  }
}

function checkDevices(request: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { deviceClassName = '', allocationMode = '', count = 0 } = request;
  const at = path.child('deviceClassName');
  if (deviceClassName) errors.invalidEach(at, deviceClassName, dns1123Subdomain(deviceClassName));
  else errors.required(at);
  checkSelectors(request.selectors ?? [], path.child('selectors'), errors, false);
  if (allocationMode === 'All') {
    if (count !== 0) errors.invalid(path.child('count'), count, "must not be specified when allocationMode is 'All'");
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.invalid(path.child('count'), count, 'must be greater than zero');
  } else {
    errors.notSupported(path.child('allocationMode'), allocationMode, MODES);
  }
  (request.tolerations ?? []).forEach((toleration: Decoded, i: number) => {
    checkToleration(toleration, path.child('tolerations').index(i), errors);
  });
}

function checkToleration({ key = '', operator = '', value = '', effect = '' }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (key) validateLabelKey(key, path.child('key'), errors);
  if (operator === 'Exists') {
    if (value) errors.invalid(path.child('value'), value, 'must be empty for operator `Exists`');
  } else if (operator === 'Equal') {
    if (!key) errors.required(path.child('key'), 'must be specified for operator `Equal`');
    errors.invalidEach(path.child('value'), value, labelValue(value));
  } else if (operator) {
    errors.notSupported(path.child('operator'), operator, ['Equal', 'Exists']);
  } else {
    errors.required(path.child('operator'));
  }
  if (effect && !EFFECTS.includes(effect)) errors.notSupported(path.child('effect'), effect, EFFECTS);
}

function checkConstraint(constraint: Decoded, names: ReadonlySet<string>, path: FieldPath, errors: FieldErrors): void {
  checkReferences(constraint.requests ?? [], names, path.child('requests'), errors);
  const { matchAttribute, distinctAttribute } = constraint;
  if (matchAttribute != null) checkAttributeName(matchAttribute, path.child('matchAttribute'), errors);
  else if (distinctAttribute != null) checkAttributeName(distinctAttribute, path.child('distinctAttribute'), errors);
  else errors.required(path, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set');
}

function checkAttributeName(name: string, path: FieldPath, errors: FieldErrors): void {
  if (!name) errors.required(path);
  else if (!name.includes('/')) errors.invalid(path, name, 'must include a domain');
  else errors.invalidEach(path, name, qualifiedName(name));
}

function checkReferences(references: readonly string[], names: ReadonlySet<string>, path: FieldPath, errors: FieldErrors): void {
  checkItems(
    references,
    MAX_REQUESTS,
    path,
    errors,
    (name, at) => checkReference(name, names, at, errors),
    (name) => name,
  );
}

function checkReference(name: string, names: ReadonlySet<string>, path: FieldPath, errors: FieldErrors): void {
  const segments = name.split('/');
  if (segments.length <= 2) for (const segment of segments) checkLabel(segment, path, errors);
  if (!names.has(name))
    errors.invalid(path, name, "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'");
}

export function checkSameSpec(type: string, object: Decoded, old: Decoded, errors: FieldErrors): void {
  if (!semanticEqual(object.spec, old.spec)) errors.invalid(SPEC, goForm(type, object.spec), IMMUTABLE);
}

export function checkTemplate(object: Decoded, errors: FieldErrors): void {
  const { annotations, labels } = object.spec?.metadata ?? {};
  validateAnnotations(annotations, SPEC.child('metadata', 'annotations'), errors);
  validateLabels(labels, SPEC.child('metadata', 'labels'), errors);
  checkClaimSpec(object.spec?.spec ?? {}, SPEC.child('spec'), errors);
}

/** What schedulers, drivers and consumers wrote into a claim. */
export function checkClaimStatus(object: Decoded, old: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const status: Decoded = object.status ?? {};
  const { allocation } = status;
  const before = old.status?.allocation;
  const reserved = STATUS.child('reservedFor');
  const consumers: Decoded[] = status.reservedFor ?? [];
  checkItems(
    consumers,
    MAX_CONSUMERS,
    reserved,
    errors,
    (consumer, at) => {
      for (const field of ['resource', 'name', 'uid']) if (!consumer[field]) errors.required(at.child(field));
    },
    ({ uid = '' }) => uid,
  );
  if (consumers.length > 0 && !allocation) {
    errors.forbidden(reserved, 'may not be specified when `allocated` is not set');
  } else if (consumers.length > 0 && object.metadata?.deletionTimestamp) {
    const known: Decoded[] = old.status?.reservedFor ?? [];
    const isNew = (consumer: Decoded): boolean => !known.some((other) => semanticEqual(other, consumer));
    if (consumers.some(isNew))
      errors.forbidden(reserved, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set');
  }
  const at = STATUS.child('allocation');
  if (allocation && before) {
    if (!semanticEqual(allocation, before)) errors.invalid(at, goForm('resource.v1.AllocationResult', allocation), IMMUTABLE);
  } else if (allocation) {
    checkAllocation(allocation, requestNames(object.spec?.devices ?? {}), at, errors);
    if (allocation.nodeSelector) context.validate('core.v1.NodeSelector', allocation.nodeSelector, at.child('nodeSelector'), errors);
  }
}

function checkAllocation({ devices = {} }: Decoded, names: ReadonlySet<string>, path: FieldPath, errors: FieldErrors): void {
  const at = path.child('devices');
  checkItems<Decoded>(devices.results ?? [], MAX_REQUESTS, at.child('results'), errors, (result, item) => {
    checkReference(result.request ?? '', names, item.child('request'), errors);
    checkDriver(result.driver ?? '', item.child('driver'), errors);
    if (!result.pool) errors.required(item.child('pool'));
    else for (const part of result.pool.split('/')) errors.invalidEach(item.child('pool'), part, dns1123Subdomain(part));
    checkLabel(result.device ?? '', item.child('device'), errors);
  });
  checkItems<Decoded>(devices.config ?? [], 2 * MAX_REQUESTS, at.child('config'), errors, (config, item) => {
    if (!config.source) errors.required(item.child('source'));
    else if (!['FromClaim', 'FromClass'].includes(config.source))
      errors.notSupported(item.child('source'), config.source, ['FromClaim', 'FromClass']);
    checkReferences(config.requests ?? [], names, item.child('requests'), errors);
    checkConfiguration(config, item, errors);
  });
}

import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { byteLength, checkEnumPointer, checkImmutable, FieldPath, qualifiedName } from '@kubernel/sdk/api';

/** Storage classes and volume attributes classes. */

const MAX_PARAMETERS = 512;
const MAX_PARAMETER_BYTES = 256 * 1024;

function checkProvisioner(name: string | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!name) errors.required(path);
  else errors.invalidEach(path, name.toLowerCase(), qualifiedName(name.toLowerCase()));
}

function checkParameters(parameters: Readonly<Record<string, string>>, path: FieldPath, errors: FieldErrors, required: boolean): void {
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) {
    errors.tooLong(path, MAX_PARAMETERS);
    return;
  }
  let size = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.invalid(path, key, 'field can not be empty.');
    size += byteLength(key) + byteLength(value);
  }
  if (size > MAX_PARAMETER_BYTES) errors.tooLong(path, MAX_PARAMETER_BYTES);
  if (required && size === 0) errors.required(path, 'must contain at least one key/value pair');
}

export function checkStorageClass(object: Decoded, errors: FieldErrors, context: ValidationContext): void {
  checkProvisioner(object.provisioner, FieldPath.of('provisioner'), errors);
  checkParameters(object.parameters ?? {}, FieldPath.of('parameters'), errors, false);
  if (object.reclaimPolicy) checkEnumPointer(object.reclaimPolicy, FieldPath.of('reclaimPolicy'), errors, ['Delete', 'Retain']);
  const mode = FieldPath.of('volumeBindingMode');
  if (object.volumeBindingMode == null) errors.required(mode);
  else checkEnumPointer(object.volumeBindingMode, mode, errors, ['Immediate', 'WaitForFirstConsumer']);
  // Upstream starts with the empty term: one that selects nothing is its duplicate.
  const seen = new Set<string>(['[]']);
  (object.allowedTopologies ?? []).forEach((term: Decoded, i: number) => {
    const at = FieldPath.of('allowedTopologies').index(i);
    context.validate('core.v1.TopologySelectorTerm', term, at, errors);
    const meaning = meaningOf(term);
    if (seen.has(meaning)) errors.duplicate(at.child('matchLabelExpressions'), '');
    seen.add(meaning);
  });
}

/** Equal for terms that select the same. */
function meaningOf(term: Decoded): string {
  const keys = (term.matchLabelExpressions ?? []).map(
    ({ key = '', values }: Decoded) => [key, [...new Set<string>(values ?? [])].sort()] as const,
  );
  return JSON.stringify([...new Map<string, string[]>(keys)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function checkStorageClassUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  checkSameParameters(object, old, errors);
  for (const field of ['provisioner', 'reclaimPolicy', 'volumeBindingMode'])
    checkImmutable(object[field], old[field], FieldPath.of(field), errors);
}

export function checkVolumeAttributesClass(object: Decoded, errors: FieldErrors): void {
  checkProvisioner(object.driverName, FieldPath.of('driverName'), errors);
  checkParameters(object.parameters ?? {}, FieldPath.of('parameters'), errors, true);
}

export function checkVolumeAttributesClassUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  if (object.driverName !== old.driverName) errors.forbidden(FieldPath.of('driverName'), 'updates to driverName are forbidden.');
  checkSameParameters(object, old, errors);
}

function checkSameParameters(object: Decoded, old: Decoded, errors: FieldErrors): void {
  const sorted = (map: Readonly<Record<string, string>> | undefined): string =>
    JSON.stringify(Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (sorted(object.parameters) !== sorted(old.parameters))
    errors.forbidden(FieldPath.of('parameters'), 'updates to parameters are forbidden.');
}

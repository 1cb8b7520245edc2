import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import {
  checkEnumPointer,
  checkRequired,
  dns1123Subdomain,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  PrintedValue,
  tryQuantity,
  validateLabelSelector,
} from '@kubernel/sdk/api';

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const VOLUME_MODES = ['Block', 'Filesystem'];

export function checkAccessModes(modes: readonly string[], path: FieldPath, errors: FieldErrors): void {
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.notSupported(path, mode, ACCESS_MODES);
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode));
  if (modes.includes('ReadWriteOncePod') && others) errors.forbidden(path, 'may not use ReadWriteOncePod with other access modes');
}

export function checkClassName(name: string, path: FieldPath, errors: FieldErrors): void {
  errors.invalidEach(path, name, nameIsDNSSubdomain(name, false));
}

/** core.v1.PersistentVolumeClaimSpec, of claims and of claim templates. */
export function checkClaimSpec(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const modes: string[] = spec.accessModes ?? [];
  if (modes.length === 0) errors.required(path.child('accessModes'), 'at least 1 access mode is required');
  validateLabelSelector(spec.selector, path.child('selector'), errors);
  checkAccessModes(modes, path.child('accessModes'), errors);
  checkStorageRequest(spec.resources?.requests?.storage, path.child('resources').key('storage'), errors);
  if (spec.storageClassName) checkClassName(spec.storageClassName, path.child('storageClassName'), errors);
  checkEnumPointer(spec.volumeMode, path.child('volumeMode'), errors, VOLUME_MODES);
  const { dataSource, dataSourceRef } = spec;
  if (dataSource) checkDataSource(dataSource, path.child('dataSource'), errors);
  if (dataSourceRef) checkDataSource(dataSourceRef, path.child('dataSourceRef'), errors);
  if (dataSource && dataSourceRef) {
    // Upstream passes a path where the value belongs, which prints as an empty struct.
    const printed = new PrintedValue('{}');
    if (dataSourceRef.namespace) errors.invalid(path, printed, 'may not be specified when dataSourceRef.namespace is specified');
    else if (['apiGroup', 'kind', 'name'].some((field) => dataSource[field] !== dataSourceRef[field]))
      errors.invalid(path, printed, 'must match dataSourceRef');
  }
  if (spec.volumeAttributesClassName) checkClassName(spec.volumeAttributesClassName, path.child('volumeAttributesClassName'), errors);
}

function checkStorageRequest(amount: unknown, path: FieldPath, errors: FieldErrors): void {
  const storage = tryQuantity(amount);
  if (!storage) errors.required(path);
  else if (storage.sign <= 0) errors.invalid(path, storage.toString(), 'must be greater than zero');
}

function checkDataSource(source: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { name, kind = '', apiGroup = '', namespace = '' } = source;
  checkRequired(name, path.child('name'), errors);
  checkRequired(kind, path.child('kind'), errors);
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    errors.invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
  if (apiGroup) errors.invalidEach(path.child('apiGroup'), apiGroup, dns1123Subdomain(apiGroup));
  if (namespace) errors.invalidEach(path.child('namespace'), namespace, nameIsDNSLabel(namespace, false));
}

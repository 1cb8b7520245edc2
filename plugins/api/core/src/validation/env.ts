import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkRequired, configMapKey, envVarName, nameIsDNSSubdomain } from '@kubernel/sdk/api';
import { checkObjectField, checkResourceField, ENV_FIELDS } from './downward-api.ts';
import { checkFilePath } from './paths.ts';

/** env and envFrom. `volumes` are the pod's valid ones: a file may be read from an emptyDir (KEP-3721). */
export function checkEnv(vars: readonly Decoded[], path: FieldPath, errors: FieldErrors, volumes: ReadonlyMap<string, Decoded>): void {
  vars.forEach((variable, i) => {
    const at = path.index(i);
    if (checkRequired(variable.name, at.child('name'), errors))
      errors.invalidEach(at.child('name'), variable.name, envVarName(variable.name));
    if (variable.valueFrom) checkValueFrom(variable, at.child('valueFrom'), errors, volumes);
  });
}

function checkValueFrom(variable: Decoded, path: FieldPath, errors: FieldErrors, volumes: ReadonlyMap<string, Decoded>): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = variable.valueFrom;
  if (fieldRef) checkObjectField(fieldRef, path.child('fieldRef'), errors, ENV_FIELDS);
  if (resourceFieldRef) checkResourceField(resourceFieldRef, path.child('resourceFieldRef'), errors, false);
  if (configMapKeyRef) checkKeySelector(configMapKeyRef, path.child('configMapKeyRef'), errors);
  if (secretKeyRef) checkKeySelector(secretKeyRef, path.child('secretKeyRef'), errors);
  if (fileKeyRef) checkFileKey(fileKeyRef, path.child('fileKeyRef'), errors, volumes);
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (count === 0) {
    errors.invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`');
  } else if (variable.value) {
    errors.invalid(path, '', 'may not be specified when `value` is not empty');
  } else if (count > 1) {
    errors.invalid(path, '', 'may not have more than one field specified at a time');
  }
}

function checkKeySelector(ref: Decoded, path: FieldPath, errors: FieldErrors): void {
  const name = ref.name ?? '';
  errors.invalidEach(path.child('name'), name, nameIsDNSSubdomain(name, false));
  if (checkRequired(ref.key, path.child('key'), errors)) errors.invalidEach(path.child('key'), ref.key, configMapKey(ref.key));
}

function checkFileKey(ref: Decoded, path: FieldPath, errors: FieldErrors, volumes: ReadonlyMap<string, Decoded>): void {
  if (checkRequired(ref.key, path.child('key'), errors)) errors.invalidEach(path.child('key'), ref.key, envVarName(ref.key));
  checkRequired(ref.volumeName, path.child('volumeName'), errors);
  if (checkRequired(ref.path, path.child('path'), errors)) checkFilePath(ref.path, path.child('path'), errors);
  const volume = volumes.get(ref.volumeName ?? '');
  if (!volume) errors.notFound(path.child('volumeName'), ref.volumeName ?? '');
  else if (!volume.emptyDir) errors.invalid(path.child('volumeName'), ref.volumeName, 'referenced volume must be of type emptyDir');
}

export function checkEnvFrom(sources: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  sources.forEach((source, i) => {
    const at = path.index(i);
    if (source.prefix) errors.invalidEach(at.child('prefix'), source.prefix, envVarName(source.prefix));
    for (const field of ['configMapRef', 'secretRef'] as const) {
      const ref = source[field];
      if (ref && checkRequired(ref.name, at.child(field, 'name'), errors))
        errors.invalidEach(at.child(field, 'name'), ref.name, nameIsDNSSubdomain(ref.name, true));
    }
    if (!source.configMapRef && !source.secretRef) errors.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`');
    else if (source.configMapRef && source.secretRef) errors.invalid(path, '', 'may not have more than one field specified at a time');
  });
}

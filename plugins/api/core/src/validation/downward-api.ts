import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkRequired, qualifiedName, tryQuantity } from '@kubernel/sdk/api';
import { checkFileMode, checkFilePath } from './paths.ts';

/** Fields a pod can learn about itself: as environment variables and as files (the downward API). */

export const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
export const FILE_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

const KNOWN_FIELDS = new Set([...FILE_FIELDS, ...ENV_FIELDS, 'spec.restartPolicy', 'spec.schedulerName', 'status.phase']);
const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function checkObjectField(ref: Decoded, path: FieldPath, errors: FieldErrors, allowed: readonly string[]): void {
  if (!checkRequired(ref.apiVersion, path.child('apiVersion'), errors)) return;
  if (!checkRequired(ref.fieldPath, path.child('fieldPath'), errors)) return;
  const subscripted = /^([^[]*)\['(.*)'\]$/.exec(ref.fieldPath);
  const field = subscripted?.[1] ?? ref.fieldPath;
  const problem = conversionProblem(ref.apiVersion, ref.fieldPath, field, subscripted !== null);
  if (problem) {
    errors.invalid(path.child('fieldPath'), ref.fieldPath, `error converting fieldPath: ${problem}`);
    return;
  }
  if (!subscripted) {
    const converted = field === 'spec.host' ? 'spec.nodeName' : field;
    if (!allowed.includes(converted)) errors.notSupported(path.child('fieldPath'), converted, allowed);
    return;
  }
  const key = subscripted[2] ?? '';
  if (field === 'metadata.annotations') errors.invalidEach(path, key.toLowerCase(), qualifiedName(key.toLowerCase()));
  else if (field === 'metadata.labels') errors.invalidEach(path, key, qualifiedName(key));
  else errors.invalid(path, field, 'does not support subscript');
}

function conversionProblem(apiVersion: string, whole: string, field: string, subscripted: boolean): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  if (subscripted) {
    if (field === 'metadata.annotations' || field === 'metadata.labels') return undefined;
    return `field label does not support subscript: ${whole}`;
  }
  return KNOWN_FIELDS.has(field) || field === 'spec.host' ? undefined : `field label not supported: ${whole}`;
}

/** `volume`: a file must say which container it is about. */
export function checkResourceField(ref: Decoded, path: FieldPath, errors: FieldErrors, volume: boolean): void {
  const { resource = '' } = ref;
  if (volume && !ref.containerName) errors.required(path.child('containerName'));
  else if (!resource) errors.required(path.child('resource'));
  else if (!RESOURCE_FIELDS.includes(resource) && !isHugePages(resource))
    errors.notSupported(path.child('resource'), resource, RESOURCE_FIELDS);
  const divisor = tryQuantity(ref.divisor);
  if (!divisor || divisor.sign === 0) return;
  const at = path.child('divisor');
  if (resource === 'limits.cpu' || resource === 'requests.cpu') {
    if (!['1m', '1'].includes(divisor.toString()))
      errors.invalid(at, resource, "only divisor's values 1m and 1 are supported with the cpu resource");
    return;
  }
  const what = BYTE_RESOURCES[resource] ?? (isHugePages(resource) ? 'hugepages' : undefined);
  if (what && !BYTE_DIVISORS.includes(divisor.toString())) {
    errors.invalid(at, resource, `only divisor's values ${BYTE_DIVISORS.join(', ')} are supported with the ${what} resource`);
  }
}

const BYTE_RESOURCES: Readonly<Record<string, string>> = {
  'limits.memory': 'memory',
  'requests.memory': 'memory',
  'limits.ephemeral-storage': 'local ephemeral storage',
  'requests.ephemeral-storage': 'local ephemeral storage',
};

const isHugePages = (resource: string): boolean => /^(limits|requests)\.hugepages-/.test(resource);

export function checkDownwardFile(file: Decoded, path: FieldPath, errors: FieldErrors): void {
  checkRequired(file.path, path.child('path'), errors);
  checkFilePath(file.path ?? '', path.child('path'), errors);
  if (file.fieldRef) {
    checkObjectField(file.fieldRef, path.child('fieldRef'), errors, FILE_FIELDS);
    if (file.resourceFieldRef) errors.invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
  } else if (file.resourceFieldRef) {
    checkResourceField(file.resourceFieldRef, path.child('resourceFieldRef'), errors, true);
  } else {
    errors.required(path, 'one of fieldRef and resourceFieldRef is required');
  }
  checkFileMode(file.mode, path.child('mode'), errors);
}

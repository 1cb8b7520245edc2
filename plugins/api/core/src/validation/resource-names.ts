import type { FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { qualifiedName, tryQuantity } from '@kubernel/sdk/api';

/** Names and amounts of compute resources (https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/). */

const CONTAINER = ['cpu', 'memory', 'ephemeral-storage'];
const QUOTA = [
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
];
const INTEGER = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const STANDARD = new Set([...QUOTA, 'storage', 'requests.storage']);

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith('requests.hugepages-');
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.split('/', 1)[0]?.endsWith('kubernetes.io') === true;
export const isStandardQuotaName = (name: string): boolean => QUOTA.includes(name) || isQuotaHugePages(name);

export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0;
}

/** Whether limits may exceed what is requested: native resources other than huge pages. */
export const mayOvercommit = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

/** False when an error was added. */
export function checkResourceName(name: string, path: FieldPath, errors: FieldErrors): boolean {
  const messages = qualifiedName(name);
  errors.invalidEach(path, name, messages);
  if (messages.length) return false;
  if (name.includes('/') || STANDARD.has(name) || isQuotaHugePages(name)) return true;
  errors.invalid(path, name, 'must be a standard resource type or fully qualified');
  return false;
}

export function checkContainerResourceName(name: string, path: FieldPath, errors: FieldErrors): void {
  checkResourceName(name, path, errors);
  if (!name.includes('/')) {
    if (!CONTAINER.includes(name) && !isHugePages(name)) errors.invalid(path, name, 'must be a standard resource for containers');
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.invalid(path, name, "doesn't follow extended resource name standard");
  }
}

export function checkPodResourceName(name: string, path: FieldPath, errors: FieldErrors): void {
  if (!checkResourceName(name, path, errors)) return;
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) errors.notSupported(path, name, ['cpu', 'hugepages-', 'memory']);
}

export function checkQuotaResourceName(name: string, path: FieldPath, errors: FieldErrors): void {
  checkResourceName(name, path, errors);
  if (!name.includes('/') && !isStandardQuotaName(name)) errors.invalid(path, name, 'must be a standard resource for quota');
}

/** Not negative, and whole where the resource is counted. */
export function checkResourceAmount(name: string, amount: unknown, path: FieldPath, errors: FieldErrors): void {
  const quantity = tryQuantity(amount);
  if (!quantity) return;
  if (quantity.sign < 0) errors.invalid(path, quantity.toString(), 'must be greater than or equal to 0');
  if ((INTEGER.includes(name) || isExtendedResource(name)) && quantity.millis() % 1000 !== 0)
    errors.invalid(path, quantity.toString(), 'must be an integer');
}

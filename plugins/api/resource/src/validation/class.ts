import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { FieldPath, qualifiedName, semanticEqual } from '@kubernel/sdk/api';
import { checkConfiguration, checkItems, checkSelectors } from './device-checks.ts';

const SPEC = FieldPath.of('spec');
const MAX_ITEMS = 32;

/** Device classes; expressions that were stored before are taken as they are. */
export function checkClass(object: Decoded, old: Decoded | undefined, errors: FieldErrors): void {
  const { selectors, config, extendedResourceName: name } = object.spec ?? {};
  checkSelectors(selectors ?? [], SPEC.child('selectors'), errors, old !== undefined && semanticEqual(selectors, old.spec?.selectors));
  checkItems<Decoded>(config ?? [], MAX_ITEMS, SPEC.child('config'), errors, (item, at) => checkConfiguration(item, at, errors));
  if (name != null && !isExtendedResource(name))
    errors.invalid(SPEC.child('extendedResourceName'), name, 'must be a valid extended resource name');
}

function isExtendedResource(name: string): boolean {
  if (!name.includes('/') || name.split('/')[0]?.endsWith('kubernetes.io') || name.startsWith('requests.')) return false;
  return qualifiedName(`requests.${name}`).length === 0;
}

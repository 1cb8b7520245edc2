import type { ResourceDefinition, Strategy, Subresource, Verb } from '../roles/api.ts';
import type { KubeObject } from './object.ts';

/** Every verb a stored resource usually has. */
export const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** The verbs of status, scale and most other subresources. */
export const CHANGE_VERBS: readonly Verb[] = ['get', 'patch', 'update'];

type Given = Pick<ResourceDefinition, 'kind' | 'plural' | 'namespaced'> & Partial<ResourceDefinition>;

/**
 * The resources of one group version, with what follows by convention filled in: the singular, all verbs, the type name
 * (`<typePackage>.<version>.<kind>`).
 *
 * @example
 * const define = resourcesOf('apps', 'v1', 'apps');
 * const deployments = define({ kind: 'Deployment', plural: 'deployments', namespaced: true, shortNames: ['deploy'] });
 */
export function resourcesOf(group: string, version: string, typePackage: string): (given: Given) => ResourceDefinition {
  return (given) => ({
    group,
    version,
    singular: given.kind.toLowerCase(),
    verbs: ALL_VERBS,
    type: `${typePackage}.${version}.${given.kind}`,
    ...given,
  });
}

/** The status subresource, with its strategy if it has one. */
export function statusSubresource(strategy?: Strategy): Subresource {
  return strategy ? { type: 'status', strategy, verbs: CHANGE_VERBS } : { type: 'status', verbs: CHANGE_VERBS };
}

/** Reads `spec.nodeName` and the like as the text a field selector compares: '' when it is not set. */
export function fieldText(path: string): (object: KubeObject) => string {
  const steps = path.split('.');
  return (object) => {
    let value: unknown = object;
    for (const step of steps) {
      if (typeof value !== 'object' || value === null) return '';
      value = (value as Record<string, unknown>)[step];
    }
    return value === undefined || value === null ? '' : String(value);
  };
}

/** Selectable fields that are read where their name says. */
export function fieldTexts(...paths: string[]): Readonly<Record<string, (object: KubeObject) => string>> {
  return Object.fromEntries(paths.map((path) => [path, fieldText(path)]));
}

/** Upstream's message of kinds with selectable fields of their own. */
export const fieldLabelNotSupported = (label: string): string => `field label not supported: ${label}`;

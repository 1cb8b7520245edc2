import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('apiextensions.k8s.io', 'v1', 'apiextensions');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({ kind, plural, namespaced: false, table: tables[plural], ...(strategy && { strategy }), ...rest });
}

export const resources: readonly ResourceDefinition[] = [
  stored('CustomResourceDefinition', 'customresourcedefinitions', {
    hashedVersion: 'v1beta1',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    subresources: { status: statusSubresource(strategies['customresourcedefinitions/status']) },
  }),
];

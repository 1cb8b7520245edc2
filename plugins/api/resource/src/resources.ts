import type { ResourceDefinition } from '@kubernel/sdk';
import { fieldTexts, resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('resource.k8s.io', 'v1', 'resource');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  // DELETE answers with the object
  return define({
    kind,
    plural,
    namespaced: false,
    table: tables[plural],
    strategy: { ...strategies[plural], returnDeletedObject: true },
    ...rest,
  });
}

export const resources: readonly ResourceDefinition[] = [
  stored('DeviceClass', 'deviceclasses'),
  stored('ResourceClaim', 'resourceclaims', {
    namespaced: true,
    subresources: { status: statusSubresource(strategies['resourceclaims/status']) },
  }),
  stored('ResourceClaimTemplate', 'resourceclaimtemplates', { namespaced: true }),
  stored('ResourceSlice', 'resourceslices', {
    selectableFields: fieldTexts('spec.nodeName', 'spec.driver'),
    unknownField: (label) => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${label}`,
  }),
];

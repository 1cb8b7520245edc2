import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('storage.k8s.io', 'v1', 'storage');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  // DELETE answers with the object
  return define({
    kind,
    plural,
    namespaced: false,
    table: tables[plural],
    strategy: { ...strategies[plural], returnDeletedObject: plural !== 'csistoragecapacities' },
    ...rest,
  });
}

export const resources: readonly ResourceDefinition[] = [
  stored('CSIDriver', 'csidrivers'),
  stored('CSINode', 'csinodes'),
  stored('CSIStorageCapacity', 'csistoragecapacities', { namespaced: true }),
  stored('StorageClass', 'storageclasses', { shortNames: ['sc'] }),
  stored('VolumeAttachment', 'volumeattachments', { subresources: { status: statusSubresource(strategies['volumeattachments/status']) } }),
  stored('VolumeAttributesClass', 'volumeattributesclasses', { shortNames: ['vac'] }),
];

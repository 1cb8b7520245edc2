import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { ageColumn, createdAtColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  csidrivers: table(
    nameColumn,
    ['AttachRequired', 'boolean', ({ spec }) => spec.attachRequired ?? true, 'storage.v1.CSIDriverSpec.attachRequired'],
    ['PodInfoOnMount', 'boolean', ({ spec }) => spec.podInfoOnMount ?? false, 'storage.v1.CSIDriverSpec.podInfoOnMount'],
    ['StorageCapacity', 'boolean', ({ spec }) => spec.storageCapacity ?? false, 'storage.v1.CSIDriverSpec.storageCapacity'],
    ['TokenRequests', ({ spec }) => audiencesText(spec.tokenRequests), 'storage.v1.CSIDriverSpec.tokenRequests'],
    ['RequiresRepublish', 'boolean', ({ spec }) => spec.requiresRepublish ?? false, 'storage.v1.CSIDriverSpec.requiresRepublish'],
    ['Modes', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(','), 'storage.v1.CSIDriverSpec.volumeLifecycleModes'],
    ageColumn,
  ),
  csinodes: table(nameColumn, ['Drivers', 'integer', ({ spec }) => spec.drivers?.length ?? 0], ageColumn),
  csistoragecapacities: table(nameColumn, createdAtColumn),
  storageclasses: table(
    ['Name', 'name', (storageClass: KubeObject) => classText(storageClass), 'meta.v1.ObjectMeta.name'],
    ['Provisioner', ({ provisioner }) => provisioner ?? '', 'storage.v1.StorageClass.provisioner'],
    ['ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete', 'storage.v1.StorageClass.reclaimPolicy'],
    ['VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate', 'storage.v1.StorageClass.volumeBindingMode'],
    ['AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false, 'storage.v1.StorageClass.allowVolumeExpansion'],
    ageColumn,
  ),
  volumeattachments: table(
    nameColumn,
    ['Attacher', 'name', ({ spec }) => spec.attacher ?? '', 'storage.v1.VolumeAttachmentSpec.attacher'],
    ['PV', ({ spec }) => spec.source?.persistentVolumeName ?? '', 'storage.v1.VolumeAttachmentSource.persistentVolumeName'],
    ['Node', ({ spec }) => spec.nodeName ?? '', 'storage.v1.VolumeAttachmentSpec.nodeName'],
    ['Attached', 'boolean', ({ status }) => status?.attached ?? false, 'storage.v1.VolumeAttachmentStatus.attached'],
    ageColumn,
  ),
  volumeattributesclasses: table(
    nameColumn,
    ['DriverName', ({ driverName }) => driverName ?? '', 'storage.v1.VolumeAttributesClass.driverName'],
    ageColumn,
  ),
} satisfies Record<string, TableDefinition>;

function audiencesText(requests: { audience?: string }[] | undefined): string {
  return requests ? requests.map(({ audience }) => audience ?? '').join(',') : '<unset>';
}

function classText({ metadata }: KubeObject): string {
  const isDefault = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
    (annotation) => metadata.annotations?.[annotation] === 'true',
  );
  return isDefault ? `${metadata.name} (default)` : (metadata.name ?? '');
}

import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { ageColumn, createdAtColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  csidrivers: table(
    nameColumn,
    ['AttachRequired', 'boolean', ({ spec }) => spec.attachRequired ?? true],
    ['PodInfoOnMount', 'boolean', ({ spec }) => spec.podInfoOnMount ?? false],
    ['StorageCapacity', 'boolean', ({ spec }) => spec.storageCapacity ?? false],
    ['TokenRequests', ({ spec }) => audiencesText(spec.tokenRequests)],
    ['RequiresRepublish', 'boolean', ({ spec }) => spec.requiresRepublish ?? false],
    ['Modes', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',')],
    ageColumn,
  ),
  csinodes: table(nameColumn, ['Drivers', 'integer', ({ spec }) => spec.drivers?.length ?? 0], ageColumn),
  csistoragecapacities: table(nameColumn, createdAtColumn),
  storageclasses: table(
    ['Name', 'name', (storageClass: KubeObject) => classText(storageClass)],
    ['Provisioner', ({ provisioner }) => provisioner ?? ''],
    ['ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'],
    ['VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'],
    ['AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false],
    ageColumn,
  ),
  volumeattachments: table(
    nameColumn,
    ['Attacher', 'name', ({ spec }) => spec.attacher ?? ''],
    ['PV', ({ spec }) => spec.source?.persistentVolumeName ?? ''],
    ['Node', ({ spec }) => spec.nodeName ?? ''],
    ['Attached', 'boolean', ({ status }) => status?.attached ?? false],
    ageColumn,
  ),
  volumeattributesclasses: table(nameColumn, ['DriverName', ({ driverName }) => driverName ?? ''], ageColumn),
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

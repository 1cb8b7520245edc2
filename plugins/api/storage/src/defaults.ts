import type { DefaultFunction } from '@kubernel/sdk';

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'storage.v1.StorageClass': (storageClass) => {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  'storage.v1.CSIDriverSpec': (spec) => {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (!(spec.volumeLifecycleModes as string[] | undefined)?.length) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
};

import type { Admission } from '@kubernel/sdk';

const FINALIZERS: Readonly<Record<string, string>> = {
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
};

/** A claim that a pod uses, and a volume that is bound, go only when nobody needs them: the protection controllers take the finalizer off. */
export function inUseProtection(): Admission {
  return {
    handles: (operation, group, resource, subresource) =>
      operation === 'CREATE' && subresource === '' && `${group}/${resource}` in FINALIZERS,
    admit({ group, resource, object }) {
      const finalizer = FINALIZERS[`${group}/${resource}`];
      if (!object || !finalizer || object.metadata.finalizers?.includes(finalizer)) return;
      object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
    },
  };
}

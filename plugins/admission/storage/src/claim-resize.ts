import type { Admission, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { parseQuantity } from '@kubernel/sdk/api';

interface Claim extends KubeObject {
  spec?: { storageClassName?: string; resources?: { requests?: Record<string, string> } };
  status?: { phase?: string };
}
interface StorageClass extends KubeObject {
  allowVolumeExpansion?: boolean;
}

/** A bound claim may grow where its class allows it. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims */
export function claimResize(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      operation === 'UPDATE' && group === '' && resource === 'persistentvolumeclaims' && subresource === '',
    validate(attributes) {
      const [claim, old] = [attributes.object as Claim, attributes.oldObject as Claim];
      const size = ({ spec }: Claim): ReturnType<typeof parseQuantity> => parseQuantity(spec?.resources?.requests?.storage ?? '0');
      if (size(claim).compare(size(old)) <= 0) return;
      if (old.status?.phase !== 'Bound') throw admissionDenied(attributes, 'Only bound persistent volume claims can be expanded');
      const name = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? '';
      if (!reader.get<StorageClass>('storage.k8s.io', 'storageclasses', '', name)?.allowVolumeExpansion) {
        throw admissionDenied(
          attributes,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        );
      }
    },
  };
}

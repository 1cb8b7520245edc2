/** The class a claim or an ingress gets when it names none. */
import type { Admission, ApiReader } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

interface Claim extends KubeObject {
  spec?: { storageClassName?: string };
}
interface Ingress extends KubeObject {
  spec?: { ingressClassName?: string };
}

const STORAGE_DEFAULTS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

/** https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass */
export function defaultStorageClass(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      operation === 'CREATE' && group === '' && resource === 'persistentvolumeclaims' && subresource === '',
    admit(attributes) {
      const claim = attributes.object as Claim;
      // An empty name is a name: the claim wants no class.
      if (
        claim.spec?.storageClassName !== undefined ||
        claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined
      )
        return;
      const found = newest(reader.list('storage.k8s.io', 'storageclasses'), STORAGE_DEFAULTS);
      if (found) claim.spec = { ...claim.spec, storageClassName: found };
    },
  };
}

/** https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class */
export function defaultIngressClass(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      operation === 'CREATE' && group === 'networking.k8s.io' && resource === 'ingresses' && subresource === '',
    admit(attributes) {
      const ingress = attributes.object as Ingress;
      if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined)
        return;
      const found = newest(reader.list('networking.k8s.io', 'ingressclasses'), ['ingressclass.kubernetes.io/is-default-class']);
      if (found) ingress.spec = { ...ingress.spec, ingressClassName: found };
    },
  };
}

/** Of several defaults the one that was made last; of those the first by name. */
function newest(classes: readonly KubeObject[], annotations: readonly string[]): string | undefined {
  const made = ({ metadata }: KubeObject): string => metadata.creationTimestamp ?? '';
  const defaults = classes.filter(({ metadata }) => annotations.some((key) => metadata.annotations?.[key] === 'true'));
  defaults.sort((a, b) => made(b).localeCompare(made(a)) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''));
  return defaults[0]?.metadata.name;
}

import type { Admission } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { organizationsOf } from './request-subject.ts';

const SIGNER = 'kubernetes.io/kube-apiserver-client';

/** Nobody asks for a certificate that makes its holder a master of the cluster. */
export function subjectRestriction(): Admission {
  return {
    handles: (operation, group, resource, subresource) =>
      operation === 'CREATE' && group === 'certificates.k8s.io' && resource === 'certificatesigningrequests' && subresource === '',
    validate(attributes) {
      const spec = (attributes.object as KubeObject & { spec?: { signerName?: string; request?: string } }).spec;
      if (spec?.signerName !== SIGNER) return;
      let organizations: string[];
      try {
        organizations = organizationsOf(Buffer.from(spec.request ?? '', 'base64').toString());
      } catch (error) {
        throw admissionDenied(attributes, `unable to parse CSR: ${(error as Error).message}`);
      }
      if (organizations.includes('system:masters')) {
        throw admissionDenied(attributes, `use of ${SIGNER} signer with system:masters group is not allowed`);
      }
    },
  };
}

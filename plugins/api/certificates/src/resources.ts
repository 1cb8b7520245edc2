import type { ResourceDefinition } from '@kubernel/sdk';
import { CHANGE_VERBS, fieldLabelNotSupported, fieldTexts, resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('certificates.k8s.io', 'v1', 'certificates');
const strategy = strategies.certificatesigningrequests;

export const resources: readonly ResourceDefinition[] = [
  define({
    kind: 'CertificateSigningRequest',
    plural: 'certificatesigningrequests',
    namespaced: false,
    shortNames: ['csr'],
    table: tables.certificatesigningrequests,
    ...(strategy && { strategy }),
    selectableFields: fieldTexts('spec.signerName'),
    unknownField: fieldLabelNotSupported,
    subresources: {
      approval: { type: 'update', strategy: strategies['certificatesigningrequests/approval'] ?? {}, verbs: CHANGE_VERBS },
      status: statusSubresource(strategies['certificatesigningrequests/status']),
    },
  }),
];

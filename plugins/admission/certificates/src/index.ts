/** Who may approve, sign and ask for which certificates. */
import { definePlugin } from '@kubernel/sdk';
import { certificateApproval, certificateSigning, clusterTrustBundleAttest } from './signers.ts';
import { subjectRestriction } from './subject-restriction.ts';

export default [
  definePlugin('admission/v1', 'certificate-approval', { start: () => certificateApproval() }),
  definePlugin('admission/v1', 'certificate-signing', { start: () => certificateSigning() }),
  definePlugin('admission/v1', 'certificate-subject-restriction', { start: () => subjectRestriction() }),
  definePlugin('admission/v1', 'cluster-trust-bundle-attest', { start: () => clusterTrustBundleAttest() }),
];

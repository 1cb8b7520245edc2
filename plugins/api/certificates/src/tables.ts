import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, humanDuration, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  certificatesigningrequests: table(
    nameColumn,
    ageColumn,
    ['SignerName', ({ spec }) => spec.signerName || '<none>'],
    ['Requestor', ({ spec }) => spec.username ?? ''],
    [
      'RequestedDuration',
      ({ spec }) => (spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000)),
      'certificates.v1.CertificateSigningRequestSpec.expirationSeconds',
    ],
    ['Condition', ({ status }) => conditionText(status)],
  ),
} satisfies Record<string, TableDefinition>;

function conditionText(status: { conditions?: { type: string }[]; certificate?: string } | undefined): string {
  const has = (wanted: string): boolean => status?.conditions?.some(({ type }) => type === wanted) ?? false;
  let text = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  if (has('Failed')) text += ',Failed';
  if (status?.certificate) text += ',Issued';
  return text;
}

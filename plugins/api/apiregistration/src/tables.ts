import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  apiservices: table(
    nameColumn,
    ['Service', ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local')],
    ['Available', ({ status }) => availableText(status)],
    ageColumn,
  ),
} satisfies Record<string, TableDefinition>;

function availableText(status: { conditions?: { type: string; status: string; reason?: string }[] } | undefined): string {
  const condition = status?.conditions?.find(({ type }) => type === 'Available');
  if (!condition) return 'Unknown';
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`;
}

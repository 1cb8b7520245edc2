import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  poddisruptionbudgets: table(
    nameColumn,
    ['Min Available', ({ spec }) => String(spec.minAvailable ?? 'N/A')],
    ['Max Unavailable', ({ spec }) => String(spec.maxUnavailable ?? 'N/A')],
    ['Allowed Disruptions', 'integer', ({ status }) => status?.disruptionsAllowed ?? 0],
    ageColumn,
  ),
} satisfies Record<string, TableDefinition>;

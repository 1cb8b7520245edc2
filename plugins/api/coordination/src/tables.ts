import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  leases: table(nameColumn, ['Holder', ({ spec }) => spec?.holderIdentity ?? '', 'coordination.v1.LeaseSpec.holderIdentity'], ageColumn),
} satisfies Record<string, TableDefinition>;

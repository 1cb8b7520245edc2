import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  runtimeclasses: table(nameColumn, ['Handler', ({ handler }) => handler ?? ''], ageColumn),
} satisfies Record<string, TableDefinition>;

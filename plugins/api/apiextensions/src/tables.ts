import type { TableDefinition } from '@kubernel/sdk';
import { createdAtColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  customresourcedefinitions: table(nameColumn, createdAtColumn),
} satisfies Record<string, TableDefinition>;

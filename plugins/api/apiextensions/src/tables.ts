import type { TableDefinition } from '@kubernel/sdk';

/** How objects print in `kubectl get`, by plural. */
export const tables: Readonly<Record<string, TableDefinition>> = {};

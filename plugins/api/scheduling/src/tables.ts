import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  priorityclasses: table(
    nameColumn,
    ['Value', 'integer', ({ value }) => value ?? 0],
    ['Global-Default', 'boolean', ({ globalDefault }) => globalDefault ?? false],
    ageColumn,
    ['PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''],
  ),
} satisfies Record<string, TableDefinition>;

import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  priorityclasses: table(
    nameColumn,
    ['Value', 'integer', ({ value }) => value ?? 0, 'scheduling.v1.PriorityClass.value'],
    ['Global-Default', 'boolean', ({ globalDefault }) => globalDefault ?? false, 'scheduling.v1.PriorityClass.globalDefault'],
    ageColumn,
    ['PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? '', 'scheduling.v1.PriorityClass.preemptionPolicy'],
  ),
} satisfies Record<string, TableDefinition>;

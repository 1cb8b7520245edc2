import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  flowschemas: table(
    nameColumn,
    [
      'PriorityLevel',
      ({ spec }) => spec?.priorityLevelConfiguration?.name ?? '',
      'flowcontrol.v1.PriorityLevelConfigurationReference.name',
    ],
    ['MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence ?? 0, 'flowcontrol.v1.FlowSchemaSpec.matchingPrecedence'],
    ['DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'],
    ageColumn,
    ['MissingPL', ({ status }) => status?.conditions?.find(({ type }: { type: string }) => type === 'Dangling')?.status ?? '?'],
  ),
  prioritylevelconfigurations: table(
    nameColumn,
    ['Type', ({ spec }) => spec?.type ?? ''],
    ['NominalConcurrencyShares', ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? '<none>'],
    ['Queues', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? '<none>'],
    ['HandSize', ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? '<none>'],
    ['QueueLengthLimit', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? '<none>'],
    ageColumn,
  ),
} satisfies Record<string, TableDefinition>;

import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';

interface Claim extends KubeObject {
  status?: { allocation?: object; reservedFor?: object[] };
}

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  deviceclasses: table(nameColumn, ageColumn),
  resourceclaims: table(nameColumn, ['State', (claim) => claimState(claim)], ageColumn),
  resourceclaimtemplates: table(nameColumn, ageColumn),
  resourceslices: table(
    nameColumn,
    ['Node', ({ spec }) => spec.nodeName ?? ''],
    ['Driver', ({ spec }) => spec.driver ?? ''],
    ['Pool', ({ spec }) => spec.pool?.name ?? ''],
    ageColumn,
  ),
} satisfies Record<string, TableDefinition>;

function claimState({ metadata, status }: Claim): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp) states.push('deleted');
  if (status?.allocation) states.push('allocated');
  else if (!metadata.deletionTimestamp) states.push('pending');
  if (status?.reservedFor?.length) states.push('reserved');
  return states.join(',');
}

import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, firstOf, nameColumn, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  endpointslices: table(
    nameColumn,
    ['AddressType', ({ addressType }) => addressType ?? '', 'discovery.v1.EndpointSlice.addressType'],
    [
      'Ports',
      ({ ports }) =>
        firstOf(
          (ports ?? []).map(({ port }: { port?: number }) => String(port ?? '*')),
          3,
        ) || '<unset>',
      'discovery.v1.EndpointSlice.ports',
    ],
    [
      'Endpoints',
      ({ endpoints }) =>
        firstOf(
          (endpoints ?? []).flatMap(({ addresses }: { addresses?: string[] }) => addresses ?? []),
          3,
        ) || '<unset>',
      'discovery.v1.EndpointSlice.endpoints',
    ],
    ageColumn,
  ),
} satisfies Record<string, TableDefinition>;

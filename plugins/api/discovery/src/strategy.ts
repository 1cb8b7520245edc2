import type { Strategy } from '@kubernel/sdk';
import type { Decoded } from '@kubernel/sdk/api';
import { kindStrategy } from '@kubernel/sdk/api';
import { checkEndpointSlice, checkEndpointSliceUpdate } from './validation/endpoint-slice.ts';

const slice = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors) => checkEndpointSlice(object, errors),
    validateUpdate: (object, old, errors) => checkEndpointSliceUpdate(object, old, errors),
    onUpdate: ['meta', 'validate', 'validateUpdate'],
  },
  {
    generation: true,
    // The field is from the time before v1, which cannot take it in.
    prepareForCreate(object) {
      for (const endpoint of ((object as Decoded).endpoints ?? []) as Decoded[]) delete endpoint.deprecatedTopology;
    },
    warnings: (object, old) =>
      !old && (object as Decoded).addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [],
    generationOf: ({ addressType, endpoints, ports, metadata }) => [addressType, endpoints, ports, metadata.labels],
  },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { endpointslices: slice };

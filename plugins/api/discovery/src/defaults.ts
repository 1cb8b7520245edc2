import type { DefaultFunction } from '@kubernel/sdk';

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'discovery.v1.EndpointPort': (port) => {
    port.name ??= '';
    port.protocol ??= 'TCP';
  },
};

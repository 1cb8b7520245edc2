import type { DefaultFunction } from '@kubernel/sdk';

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'apiregistration.v1.ServiceReference': (reference) => {
    reference.port ??= 443;
  },
};

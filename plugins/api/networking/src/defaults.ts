import type { DefaultFunction } from '@kubernel/sdk';

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'networking.v1.IngressClassParametersReference': (reference) => {
    reference.scope ??= 'Cluster';
  },
  'networking.v1.NetworkPolicyPort': (port) => {
    port.protocol ??= 'TCP';
  },
  'networking.v1.NetworkPolicySpec': (spec) => {
    if ((spec.policyTypes as string[] | undefined)?.length) return;
    spec.policyTypes = (spec.egress as unknown[] | undefined)?.length ? ['Ingress', 'Egress'] : ['Ingress'];
  },
};

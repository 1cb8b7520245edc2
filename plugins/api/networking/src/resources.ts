import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('networking.k8s.io', 'v1', 'networking');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({ kind, plural, namespaced: false, table: tables[plural], ...(strategy && { strategy }), ...rest });
}

export const resources: readonly ResourceDefinition[] = [
  stored('IngressClass', 'ingressclasses'),
  stored('Ingress', 'ingresses', {
    namespaced: true,
    shortNames: ['ing'],
    subresources: { status: statusSubresource(strategies['ingresses/status']) },
  }),
  stored('IPAddress', 'ipaddresses', { shortNames: ['ip'] }),
  stored('NetworkPolicy', 'networkpolicies', { namespaced: true, shortNames: ['netpol'] }),
  stored('ServiceCIDR', 'servicecidrs', { subresources: { status: statusSubresource(strategies['servicecidrs/status']) } }),
];

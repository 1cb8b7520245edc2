import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('admissionregistration.k8s.io', 'v1', 'admissionregistration');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({ kind, plural, namespaced: false, table: tables[plural], ...(strategy && { strategy }), ...rest });
}

export const resources: readonly ResourceDefinition[] = [
  stored('MutatingAdmissionPolicy', 'mutatingadmissionpolicies', { hashedVersion: 'v1beta1', categories: ['api-extensions'] }),
  stored('MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings', { hashedVersion: 'v1beta1', categories: ['api-extensions'] }),
  stored('MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', { categories: ['api-extensions'] }),
  stored('ValidatingAdmissionPolicy', 'validatingadmissionpolicies', {
    categories: ['api-extensions'],
    subresources: { status: statusSubresource(strategies['validatingadmissionpolicies/status']) },
  }),
  stored('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', { categories: ['api-extensions'] }),
  stored('ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', { categories: ['api-extensions'] }),
];

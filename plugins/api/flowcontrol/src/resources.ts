import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('flowcontrol.apiserver.k8s.io', 'v1', 'flowcontrol');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({ kind, plural, namespaced: false, table: tables[plural], ...(strategy && { strategy }), ...rest });
}

export const resources: readonly ResourceDefinition[] = [
  stored('FlowSchema', 'flowschemas', { subresources: { status: statusSubresource(strategies['flowschemas/status']) } }),
  stored('PriorityLevelConfiguration', 'prioritylevelconfigurations', {
    subresources: { status: statusSubresource(strategies['prioritylevelconfigurations/status']) },
  }),
];

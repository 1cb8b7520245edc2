import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('policy', 'v1', 'policy');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({ kind, plural, namespaced: false, table: tables[plural], ...(strategy && { strategy }), ...rest });
}

export const resources: readonly ResourceDefinition[] = [
  stored('PodDisruptionBudget', 'poddisruptionbudgets', {
    namespaced: true,
    shortNames: ['pdb'],
    subresources: { status: statusSubresource(strategies['poddisruptionbudgets/status']) },
  }),
];

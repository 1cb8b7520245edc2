import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('scheduling.k8s.io', 'v1', 'scheduling');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({ kind, plural, namespaced: false, table: tables[plural], ...(strategy && { strategy }), ...rest });
}

export const resources: readonly ResourceDefinition[] = [stored('PriorityClass', 'priorityclasses', { shortNames: ['pc'] })];

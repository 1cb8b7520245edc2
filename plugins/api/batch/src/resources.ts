import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('batch', 'v1', 'batch');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({
    kind,
    plural,
    namespaced: true,
    categories: ['all'],
    table: tables[plural],
    ...(strategy && { strategy }),
    subresources: { status: statusSubresource(strategies[`${plural}/status`]) },
    ...rest,
  });
}

export const resources: readonly ResourceDefinition[] = [
  stored('CronJob', 'cronjobs', { shortNames: ['cj'] }),
  stored('Job', 'jobs', {
    selectableFields: { 'status.successful': ({ status }) => String((status as { succeeded?: number } | undefined)?.succeeded ?? 0) },
    unknownField: (label) => `field label ${JSON.stringify(label)} not supported for Job`,
  }),
];

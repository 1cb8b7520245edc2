import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { toV1, toV2 } from './conversion.ts';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const strategy = strategies.horizontalpodautoscalers;

function autoscalers(version: 'v1' | 'v2'): ResourceDefinition {
  return resourcesOf(
    'autoscaling',
    version,
    'autoscaling',
  )({
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    namespaced: true,
    shortNames: ['hpa'],
    categories: ['all'],
    table: tables[version],
    ...(strategy && { strategy }),
    subresources: { status: statusSubresource(strategies['horizontalpodautoscalers/status']) },
  });
}

export const resources: readonly ResourceDefinition[] = [
  autoscalers('v2'),
  { ...autoscalers('v1'), storedAs: { version: 'v2', toStored: toV2, fromStored: toV1 } },
];

import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, table } from '@kubernel/sdk/api';
import type { Autoscaler, MetricSpec, MetricStatus, MetricTarget } from './autoscaler.ts';
import { toV2 } from './conversion.ts';

const SPEC = 'autoscaling.v2.HorizontalPodAutoscalerSpec';

const v2 = table(
  nameColumn,
  [
    'Reference',
    ({ spec }: Autoscaler) => `${spec.scaleTargetRef?.kind ?? ''}/${spec.scaleTargetRef?.name ?? ''}`,
    `${SPEC}.scaleTargetRef`,
  ],
  ['Targets', ({ spec, status }: Autoscaler) => metricsText(spec.metrics ?? [], status?.currentMetrics ?? []), `${SPEC}.metrics`],
  ['MinPods', ({ spec }: Autoscaler) => String(spec.minReplicas ?? '<unset>'), `${SPEC}.minReplicas`],
  ['MaxPods', ({ spec }: Autoscaler) => spec.maxReplicas ?? 0, `${SPEC}.maxReplicas`],
  ['Replicas', ({ status }: Autoscaler) => status?.currentReplicas ?? 0, 'autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas'],
  ageColumn,
);

/** How autoscalers print in `kubectl get`, by version. */
export const tables = {
  v2,
  v1: { columns: v2.columns, cells: (object, now) => v2.cells(toV2(object), now) },
} satisfies Record<string, TableDefinition>;

const SHOWN = 2;

function metricsText(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return '<none>';
  const texts = specs.map((spec, index) => metricText(spec, statuses[index])).slice(0, SHOWN);
  const more = specs.length - SHOWN;
  return more > 0 ? `${texts.join(', ')} + ${more} more...` : texts.join(', ');
}

function metricText({ type, external, pods, object, resource, containerResource }: MetricSpec, status: MetricStatus | undefined): string {
  switch (type) {
    case 'External':
      return amountText(external?.target, status?.external?.current, ' (avg)');
    case 'Pods':
      return `${status?.pods?.current?.averageValue ?? '<unknown>'}/${pods?.target?.averageValue ?? '0'}`;
    case 'Object':
      return amountText(object?.target, status?.object?.current, ' (avg)');
    case 'Resource':
      return `${resource?.name}: ${utilizationText(resource?.target, status?.resource?.current)}`;
    case 'ContainerResource':
      return `${containerResource?.name}: ${utilizationText(containerResource?.target, status?.containerResource?.current)}`;
    default:
      return '<unknown type>';
  }
}

type Current = { value?: string; averageValue?: string; averageUtilization?: number } | undefined;

function amountText(target: MetricTarget | undefined, current: Current, suffix: string): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}${suffix}`;
  return `${current?.value ?? '<unknown>'}/${target?.value ?? '0'}`;
}

function utilizationText(target: MetricTarget | undefined, current: Current): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
  const now = current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`;
  return `${now}/${target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`}`;
}

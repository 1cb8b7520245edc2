import type { DefaultFunction } from '@kubernel/sdk';

type Fields = Record<string, unknown>;

const SCALE_UP = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const SCALE_DOWN = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };
const TARGET_CPU_PERCENT = 80;

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';

/** Other metrics than CPU travel in an annotation; one that cannot be read counts as none. */
function hasMetrics(annotations: Record<string, string> | undefined): boolean {
  try {
    return (JSON.parse(annotations?.[METRICS] ?? '[]') as unknown[]).length > 0;
  } catch {
    return false;
  }
}

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'autoscaling.v1.HorizontalPodAutoscaler': (autoscaler) => {
    const spec = autoscaler.spec as Fields;
    const metadata = autoscaler.metadata as { annotations?: Record<string, string> };
    const { annotations } = metadata;
    spec.minReplicas ??= 1;
    if (hasMetrics(annotations)) return;
    delete annotations?.[METRICS];
    if (annotations && Object.keys(annotations).length === 0) delete metadata.annotations;
    spec.targetCPUUtilizationPercentage ??= TARGET_CPU_PERCENT;
  },

  'autoscaling.v2.HorizontalPodAutoscalerSpec': (spec) => {
    spec.minReplicas ??= 1;
    if (!(spec.metrics as unknown[] | undefined)?.length) {
      spec.metrics = [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: TARGET_CPU_PERCENT } } },
      ];
    }
    const behavior = spec.behavior as { scaleUp?: Fields; scaleDown?: Fields } | undefined;
    if (!behavior) return;
    behavior.scaleUp = { ...structuredClone(SCALE_UP), ...behavior.scaleUp };
    behavior.scaleDown = { ...structuredClone(SCALE_DOWN), ...behavior.scaleDown };
  },
};

import { expect, test } from 'vitest';
import { toV1, toV2 } from './conversion.ts';

const v2 = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'h', annotations: { own: 'x' } },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
      {
        type: 'Pods',
        pods: { metric: { name: 'm', selector: { matchLabels: { a: 'b' } } }, target: { type: 'AverageValue', averageValue: '5' } },
      },
      {
        type: 'Object',
        object: { describedObject: { kind: 'Service', name: 's' }, metric: { name: 'o' }, target: { type: 'Value', value: '7' } },
      },
      { type: 'External', external: { metric: { name: 'e' }, target: { type: 'Value', value: '9' } } },
      {
        type: 'ContainerResource',
        containerResource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 }, container: 'c' },
      },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
  },
  status: {
    currentReplicas: 1,
    desiredReplicas: 2,
    currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 30, averageValue: '3' } } }],
    conditions: [{ type: 'AbleToScale', status: 'True' }],
  },
};

test('a v2 autoscaler survives the way through v1', () => {
  const v1 = toV1(structuredClone(v2));
  expect(v1).toMatchObject({
    apiVersion: 'autoscaling/v1',
    spec: { targetCPUUtilizationPercentage: 50 },
    status: { currentCPUUtilizationPercentage: 30 },
  });
  const back = toV2(v1) as typeof v2;
  expect(back.spec).toEqual(v2.spec);
  expect(back.metadata).toEqual(v2.metadata);
  expect(back.status.conditions).toEqual(v2.status.conditions);
});

test('a v1 autoscaler with one target becomes a CPU metric, and back', () => {
  const v1 = {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h' },
    spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 70 },
    status: {},
  };
  const stored = toV2(structuredClone(v1));
  expect(stored.spec).toMatchObject({ metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 70 } } }] });
  expect(toV1(stored)).toEqual(v1);
});

test('lists that are null, and annotations that are no JSON, count as absent', () => {
  const empty = { ...v2, spec: { maxReplicas: 1, metrics: null }, status: { currentMetrics: null, conditions: null } };
  expect(toV1(empty as never).spec).toEqual({ maxReplicas: 1 });
  const bad = {
    ...v2,
    apiVersion: 'autoscaling/v1',
    metadata: { name: 'h', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': 'notjson' } },
    spec: {},
    status: {},
  };
  expect(toV2(bad as never)).toMatchObject({ metadata: { name: 'h' }, spec: {} });
});

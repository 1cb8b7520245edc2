import type { KubeObject } from '@kubernel/sdk/api';
import type { Autoscaler, MetricSpec, MetricStatus } from './autoscaler.ts';

/**
 * autoscaling/v1 knows one metric, CPU utilization. What else a v2 autoscaler says travels in annotations, as JSON, so that nothing is
 * lost on the way through v1 (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v1/).
 */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

interface V1 extends KubeObject {
  spec: { scaleTargetRef?: object; minReplicas?: number; maxReplicas?: number; targetCPUUtilizationPercentage?: number };
  status?: {
    observedGeneration?: number;
    lastScaleTime?: string;
    currentReplicas?: number;
    desiredReplicas?: number;
    currentCPUUtilizationPercentage?: number;
  };
}

export function toV1(object: KubeObject): KubeObject {
  const { spec, status, metadata } = object as Autoscaler;
  const annotations: Record<string, string> = { ...metadata.annotations };
  const { metrics: givenMetrics, behavior, ...restOfSpec } = spec ?? {};
  const { currentMetrics: givenCurrent, conditions: givenConditions, ...restOfStatus } = status ?? {};
  // Go's nil slices are null here
  const metrics = givenMetrics ?? [];
  const currentMetrics = givenCurrent ?? [];
  const conditions = givenConditions ?? [];
  const cpu = metrics.findIndex(isCpuUtilization);
  const others = metrics.filter((_, index) => index !== cpu);
  if (others.length) annotations[METRICS] = JSON.stringify(others.map(toV1Metric));
  const currentCpu = currentMetrics.findIndex(isCpuStatus);
  const otherMetrics = currentMetrics.filter((_, index) => index !== currentCpu);
  if (otherMetrics.length) annotations[CURRENT_METRICS] = JSON.stringify(otherMetrics.map(toV1Status));
  if (conditions.length) annotations[CONDITIONS] = JSON.stringify(conditions);
  if (behavior) annotations[BEHAVIOR] = JSON.stringify(behavior);
  const target = metrics[cpu]?.resource?.target?.averageUtilization;
  const current = currentMetrics[currentCpu]?.resource?.current?.averageUtilization;
  const result: V1 = {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, annotations),
    spec: { ...restOfSpec, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    status: { ...restOfStatus, ...(current !== undefined && { currentCPUUtilizationPercentage: current }) },
  };
  return result;
}

export function toV2(object: KubeObject): KubeObject {
  const { spec, status, metadata } = object as V1;
  const {
    [METRICS]: metricsText,
    [CURRENT_METRICS]: currentText,
    [CONDITIONS]: conditionsText,
    [BEHAVIOR]: behaviorText,
    ...annotations
  } = metadata.annotations ?? {};
  const { targetCPUUtilizationPercentage: target, ...restOfSpec } = spec ?? {};
  const { currentCPUUtilizationPercentage: current, ...restOfStatus } = status ?? {};
  const metrics: MetricSpec[] = listIn(metricsText).map(toV2Metric);
  if (target !== undefined && target !== null) {
    metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } });
  }
  const currentMetrics: MetricStatus[] = listIn(currentText).map(toV2Status);
  if (current !== undefined && current !== null)
    currentMetrics.unshift({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } });
  const conditions = listIn(conditionsText);
  const behavior = objectIn(behaviorText);
  const result: Autoscaler = {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, annotations),
    spec: { ...restOfSpec, ...(metrics.length && { metrics }), ...(behavior && { behavior }) },
    status: { ...restOfStatus, ...(currentMetrics.length && { currentMetrics }), ...(conditions.length && { conditions }) },
  };
  return result;
}

function withAnnotations(metadata: KubeObject['metadata'], annotations: Record<string, string>): KubeObject['metadata'] {
  const { annotations: _old, ...rest } = metadata;
  return Object.keys(annotations).length ? { ...rest, annotations } : rest;
}

const isCpuUtilization = ({ type, resource }: MetricSpec): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined;
const isCpuStatus = ({ type, resource }: MetricStatus): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.current?.averageUtilization !== undefined;

// The annotations hold the metrics in the form of autoscaling/v1's own (internal) metric types.
type Flat = Record<string, unknown>;

function toV1Metric({ type, resource, containerResource, pods, object, external }: MetricSpec): Flat {
  const flat: Flat = { type };
  if (resource)
    flat.resource = defined({
      name: resource.name,
      targetAverageUtilization: resource.target?.averageUtilization,
      targetAverageValue: resource.target?.averageValue,
    });
  if (containerResource) {
    flat.containerResource = defined({
      name: containerResource.name,
      targetAverageUtilization: containerResource.target?.averageUtilization,
      targetAverageValue: containerResource.target?.averageValue,
      container: containerResource.container,
    });
  }
  if (pods)
    flat.pods = defined({ metricName: pods.metric?.name, targetAverageValue: pods.target?.averageValue, selector: pods.metric?.selector });
  if (object) {
    flat.object = defined({
      target: object.describedObject,
      metricName: object.metric?.name,
      targetValue: object.target?.value ?? '0',
      selector: object.metric?.selector,
      averageValue: object.target?.averageValue,
    });
  }
  if (external) {
    flat.external = defined({
      metricName: external.metric?.name,
      metricSelector: external.metric?.selector,
      targetValue: external.target?.value,
      targetAverageValue: external.target?.averageValue,
    });
  }
  return flat;
}

function toV2Metric(flat: Flat): MetricSpec {
  const metric: MetricSpec = { type: String(flat.type ?? '') };
  const resource = flat.resource as Flat | undefined;
  if (resource)
    metric.resource = {
      name: resource.name as string,
      target: target(resource.targetAverageUtilization, undefined, resource.targetAverageValue),
    };
  const container = flat.containerResource as Flat | undefined;
  if (container) {
    metric.containerResource = {
      name: container.name as string,
      target: target(container.targetAverageUtilization, undefined, container.targetAverageValue),
      container: container.container as string,
    };
  }
  const pods = flat.pods as Flat | undefined;
  if (pods)
    metric.pods = { metric: metricName(pods.metricName, pods.selector), target: target(undefined, undefined, pods.targetAverageValue) };
  const object = flat.object as Flat | undefined;
  if (object) {
    metric.object = {
      describedObject: object.target as object,
      metric: metricName(object.metricName, object.selector),
      target: target(undefined, object.averageValue === undefined ? object.targetValue : undefined, object.averageValue),
    };
  }
  const external = flat.external as Flat | undefined;
  if (external)
    metric.external = {
      metric: metricName(external.metricName, external.metricSelector),
      target: target(undefined, external.targetValue, external.targetAverageValue),
    };
  return metric;
}

function toV1Status({ type, resource, containerResource, pods, object, external }: MetricStatus): Flat {
  const flat: Flat = { type };
  if (resource)
    flat.resource = defined({
      name: resource.name,
      currentAverageUtilization: resource.current?.averageUtilization,
      currentAverageValue: resource.current?.averageValue ?? '0',
    });
  if (containerResource) {
    flat.containerResource = defined({
      name: containerResource.name,
      currentAverageUtilization: containerResource.current?.averageUtilization,
      currentAverageValue: containerResource.current?.averageValue ?? '0',
      container: containerResource.container,
    });
  }
  if (pods)
    flat.pods = defined({
      metricName: pods.metric?.name,
      currentAverageValue: pods.current?.averageValue ?? '0',
      selector: pods.metric?.selector,
    });
  if (object) {
    flat.object = defined({
      target: object.describedObject,
      metricName: object.metric?.name,
      currentValue: object.current?.value ?? '0',
      selector: object.metric?.selector,
      averageValue: object.current?.averageValue,
    });
  }
  if (external) {
    flat.external = defined({
      metricName: external.metric?.name,
      metricSelector: external.metric?.selector,
      currentValue: external.current?.value ?? '0',
      currentAverageValue: external.current?.averageValue,
    });
  }
  return flat;
}

function toV2Status(flat: Flat): MetricStatus {
  const status: MetricStatus = { type: String(flat.type ?? '') };
  const resource = flat.resource as Flat | undefined;
  if (resource)
    status.resource = {
      name: resource.name as string,
      current: current(resource.currentAverageUtilization, undefined, resource.currentAverageValue),
    };
  const container = flat.containerResource as Flat | undefined;
  if (container) {
    status.containerResource = {
      name: container.name as string,
      current: current(container.currentAverageUtilization, undefined, container.currentAverageValue),
      container: container.container as string,
    };
  }
  const pods = flat.pods as Flat | undefined;
  if (pods)
    status.pods = { metric: metricName(pods.metricName, pods.selector), current: current(undefined, undefined, pods.currentAverageValue) };
  const object = flat.object as Flat | undefined;
  if (object) {
    status.object = {
      describedObject: object.target as object,
      metric: metricName(object.metricName, object.selector),
      current: current(undefined, object.currentValue, object.averageValue),
    };
  }
  const external = flat.external as Flat | undefined;
  if (external)
    status.external = {
      metric: metricName(external.metricName, external.metricSelector),
      current: current(undefined, external.currentValue, external.currentAverageValue),
    };
  return status;
}

function target(
  utilization: unknown,
  value: unknown,
  average: unknown,
): { type: string; averageUtilization?: number; value?: string; averageValue?: string } {
  if (utilization !== undefined) return { type: 'Utilization', averageUtilization: utilization as number };
  if (average !== undefined) return { type: 'AverageValue', averageValue: average as string };
  return { type: 'Value', ...(value !== undefined && { value: value as string }) };
}

function current(
  utilization: unknown,
  value: unknown,
  average: unknown,
): { averageUtilization?: number; value?: string; averageValue?: string } {
  return defined({ averageUtilization: utilization as number, value: value as string, averageValue: average as string });
}

function metricName(name: unknown, selector: unknown): { name: string; selector?: object } {
  return { name: String(name ?? ''), ...(selector !== undefined && { selector: selector as object }) };
}

function defined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** Annotations come from clients: what cannot be read counts as absent, as upstream has it. */
function listIn(text: string | undefined): Flat[] {
  const value = jsonIn(text);
  return Array.isArray(value) ? value.filter((item): item is Flat => typeof item === 'object' && item !== null) : [];
}

function objectIn(text: string | undefined): object | undefined {
  const value = jsonIn(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

function jsonIn(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

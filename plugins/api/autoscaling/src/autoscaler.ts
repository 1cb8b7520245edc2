import type { KubeObject } from '@kubernel/sdk/api';

/** A HorizontalPodAutoscaler of autoscaling/v2, as far as this package looks into it. */
export interface Autoscaler extends KubeObject {
  spec: {
    scaleTargetRef?: { apiVersion?: string; kind?: string; name?: string };
    minReplicas?: number;
    maxReplicas?: number;
    metrics?: MetricSpec[] | null;
    behavior?: object;
  };
  status?: {
    observedGeneration?: number;
    lastScaleTime?: string;
    currentReplicas?: number;
    desiredReplicas?: number;
    currentMetrics?: MetricStatus[] | null;
    conditions?: object[] | null;
  };
}

export interface MetricTarget {
  type?: string;
  value?: string;
  averageValue?: string;
  averageUtilization?: number;
}

interface Named {
  name?: string;
  container?: string;
  metric?: { name?: string; selector?: object };
  describedObject?: object;
}

export interface MetricSpec {
  type: string;
  resource?: Named & { target?: MetricTarget };
  containerResource?: Named & { target?: MetricTarget };
  pods?: Named & { target?: MetricTarget };
  object?: Named & { target?: MetricTarget };
  external?: Named & { target?: MetricTarget };
}

export interface MetricStatus {
  type: string;
  resource?: Named & { current?: Omit<MetricTarget, 'type'> };
  containerResource?: Named & { current?: Omit<MetricTarget, 'type'> };
  pods?: Named & { current?: Omit<MetricTarget, 'type'> };
  object?: Named & { current?: Omit<MetricTarget, 'type'> };
  external?: Named & { current?: Omit<MetricTarget, 'type'> };
}

import type { AdmissionOperation } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export interface Container {
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
}

export interface Pod extends KubeObject {
  spec: {
    priorityClassName?: string;
    priority?: number;
    preemptionPolicy?: string;
    runtimeClassName?: string;
    overhead?: Record<string, string>;
    nodeSelector?: Record<string, string>;
    tolerations?: Toleration[];
    containers: Container[];
    initContainers?: Container[];
  };
}

/** Writes of pods as such, not of their subresources. */
export function isPod(
  operation: AdmissionOperation,
  group: string,
  resource: string,
  subresource: string,
  operations: readonly AdmissionOperation[],
): boolean {
  return group === '' && resource === 'pods' && subresource === '' && operations.includes(operation);
}

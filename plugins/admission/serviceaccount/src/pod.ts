import type { KubeObject } from '@kubernel/sdk/api';

interface Reference {
  name?: string;
}

export interface Container {
  name: string;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  env?: { name: string; valueFrom?: { secretKeyRef?: Reference } }[];
  envFrom?: { secretRef?: Reference }[];
}

export interface Volume {
  name: string;
  secret?: { secretName?: string };
  projected?: { defaultMode?: number; sources?: Record<string, unknown>[] };
  [source: string]: unknown;
}

export interface Pod extends KubeObject {
  spec: {
    serviceAccountName?: string;
    serviceAccount?: string;
    automountServiceAccountToken?: boolean;
    imagePullSecrets?: Reference[];
    volumes?: Volume[];
    containers: Container[];
    initContainers?: Container[];
    ephemeralContainers?: Container[];
  };
}

export interface ServiceAccount extends KubeObject {
  automountServiceAccountToken?: boolean;
  secrets?: Reference[];
  imagePullSecrets?: Reference[];
}

export function containersOf(pod: Pod): Container[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])];
}

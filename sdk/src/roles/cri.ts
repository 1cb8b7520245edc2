/**
 * cri/v1: the container runtime, with the messages of Kubernetes' CRI v1 (runtime.v1, as JSON with lowerCamelCase names;
 * int64 as number, bytes as Uint8Array). A driver that speaks to a real CRI socket passes them on as they are.
 */
export interface CriRuntime {
  version(): Promise<{ runtimeName: string; runtimeVersion: string; runtimeApiVersion: string }>;
}

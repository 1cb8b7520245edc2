import { KubernelError } from '@kubernel/sdk';

/**
 * Why a container does not run yet: `reason` and message are what `kubectl get pods` and `describe` show, in upstream's
 * words. Not a failure of the kubelet: the container waits and is tried again.
 */
export class ContainerWaiting extends Error {
  readonly code = 'ERR_CONTAINER_WAITING';
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export function nodeNameNeeded(count: number): KubernelError {
  return new KubernelError('ERR_KUBELET_NODE_NAME', `${count} nodes cannot share one name`, {
    subject: 'kubelet/agent',
    hint: 'use namePrefix instead of nodeName',
  });
}

export function portInUse(port: number): KubernelError {
  return new KubernelError('ERR_KUBELET_PORT', `port ${port} is in use`, {
    subject: 'kubelet/agent',
    hint: "set port in the kubelet's config: 0 takes any free one",
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { type ErrorCode, KubernelError } from '@kubernel/sdk';

/** What Debian and its relatives need for a real node. */
export const APT_LINE = 'apt-get install containerd runc containernetworking-plugins iptables';

export function containerdMissing(binary: string): KubernelError {
  return new KubernelError('ERR_CONTAINERD_MISSING', `${binary} is not installed`, {
    subject: 'cri/containerd',
    hint: `run: ${APT_LINE}   (or name a running runtime's socket in config.socket, or use cri/sim)`,
  });
}

export function containerdNeedsRoot(): KubernelError {
  return new KubernelError('ERR_CONTAINERD_NEEDS_ROOT', 'containerd must be started by root', {
    subject: 'cri/containerd',
    hint: 'run as root, or name a socket you may use in config.socket, or use cri/sim',
  });
}

export function containerdFailed(reason: string, logFile: string): KubernelError {
  return new KubernelError('ERR_CONTAINERD_FAILED', `containerd did not start: ${reason}`, {
    subject: 'cri/containerd',
    hint: `read ${logFile}`,
  });
}

export function badArchive(file: string, reason: string): KubernelError {
  return new KubernelError('ERR_IMAGE_ARCHIVE', `${file} is not an image archive: ${reason}`, {
    subject: 'cri/containerd',
    hint: 'make one with `docker save`, `podman save`, or skopeo copy to oci-archive: or docker-archive:',
  });
}

/** grpc status code -> the codes that cri/v1 promises. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  4: 'ERR_CRI_TIMEOUT',
  5: 'ERR_CRI_NOT_FOUND',
  12: 'ERR_CRI_UNIMPLEMENTED',
  14: 'ERR_CRI_UNAVAILABLE',
};

export function fromGrpc(method: string, error: unknown): KubernelError {
  const { code, details, message } = error as { code?: number; details?: string; message?: string };
  return new KubernelError(CODES[code ?? -1] ?? 'ERR_CRI', details || message || String(error), { subject: `cri ${method}` });
}

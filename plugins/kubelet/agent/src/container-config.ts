import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerConfig, ContainerSecurityContext, Image, Mount } from '@kubernel/sdk';
import type { Container } from '@kubernel/sdk/api';
import { type EnvInputs, environment, expand } from './env.ts';
import { ContainerWaiting } from './errors.ts';
import { etcHosts } from './etc-hosts.ts';
import {
  CONTAINER_NAME,
  POD_NAME,
  POD_NAMESPACE,
  POD_UID,
  RESTART_COUNT,
  TERMINATION_FILE,
  TERMINATION_PATH,
  TERMINATION_POLICY,
} from './labels.ts';
import type { Lifecycle } from './pod-fields.ts';
import { linuxResources } from './resources.ts';
import { containerSecurity } from './security.ts';
import type { MountedVolumes } from './volumes/manager.ts';
import { subPathSource } from './volumes/sub-path.ts';

export interface ContainerInputs extends EnvInputs {
  container: Container;
  /** Restart count. */
  attempt: number;
  image: Image;
  /** What the runtime is told to run: the image's id, so that a tag that moved meanwhile changes nothing. */
  imageRef: string;
  volumes: MountedVolumes;
  /** Directory of this pod on the host; undefined where containers are simulated and have no files. */
  podDir: string | undefined;
  clusterDomain: string;
  /** The container whose processes an ephemeral one shall see. */
  targetId?: string;
  nodeMemoryBytes: number;
}

/** All that the runtime is told of one container. Throws ContainerWaiting where the pod asks for what is not there. */
export async function containerConfig(inputs: ContainerInputs): Promise<ContainerConfig> {
  const { pod, container, attempt, image } = inputs;
  const env = await environment(container, inputs);
  const lookup = (name: string): string | undefined => env.get(name);
  const { stopSignal } = (container.lifecycle ?? {}) as Lifecycle;
  const files = inputs.podDir === undefined ? { mounts: [], terminationFile: '' } : ownFiles(inputs, inputs.podDir);
  return {
    metadata: { name: container.name, attempt },
    image: { image: inputs.imageRef, annotations: {} },
    command: (container.command ?? []).map((word) => expand(word, lookup)),
    args: (container.args ?? []).map((word) => expand(word, lookup)),
    workingDir: container.workingDir ?? '',
    envs: [...env].map(([key, value]) => ({ key, value })),
    mounts: [...(await volumeMounts(inputs, lookup)), ...files.mounts],
    labels: {
      [CONTAINER_NAME]: container.name,
      [POD_NAME]: pod.metadata.name ?? '',
      [POD_NAMESPACE]: pod.metadata.namespace ?? '',
      [POD_UID]: pod.metadata.uid ?? '',
    },
    annotations: {
      [RESTART_COUNT]: String(attempt),
      [TERMINATION_PATH]: container.terminationMessagePath ?? '/dev/termination-log',
      [TERMINATION_POLICY]: container.terminationMessagePolicy ?? 'File',
      [TERMINATION_FILE]: files.terminationFile,
    },
    logPath: join(container.name, `${attempt}.log`),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: linuxResources(pod, container, inputs.nodeMemoryBytes),
      securityContext: targeted(containerSecurity(pod, container, image), inputs.targetId),
    },
    ...(stopSignal ? { stopSignal } : {}),
  };
}

function targeted(security: ContainerSecurityContext, targetId: string | undefined): ContainerSecurityContext {
  return targetId ? { ...security, namespaceOptions: { ...security.namespaceOptions, pid: 'TARGET', targetId } } : security;
}

const PROPAGATION: Readonly<Record<string, Mount['propagation']>> = {
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

async function volumeMounts({ container, volumes }: ContainerInputs, lookup: (name: string) => string | undefined): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    if (!volumes.real) continue;
    const volume = volumes.paths.get(mount.name);
    if (!volume)
      throw new ContainerWaiting('CreateContainerConfigError', `volume "${mount.name}" of the mount at ${mount.mountPath} is not there`);
    const subPath = mount.subPathExpr ? expandStrictly(mount.subPathExpr, lookup) : mount.subPath;
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: subPath ? await subPathSource(volume.path, subPath, volume.readOnly) : volume.path,
      readonly: mount.readOnly === true || volume.readOnly,
      propagation: PROPAGATION[mount.mountPropagation ?? ''] ?? 'PROPAGATION_PRIVATE',
    });
  }
  return mounts;
}

function expandStrictly(expression: string, lookup: (name: string) => string | undefined): string {
  const expanded = expand(expression, lookup);
  const missing = /\$\(([^)]*)\)/.exec(expanded)?.[1];
  if (missing !== undefined) throw new ContainerWaiting('CreateContainerConfigError', `missing value for "${missing}"`);
  return expanded;
}

/** /etc/hosts and the termination message: one file each, made by the kubelet and bound into the container. */
function ownFiles(
  { pod, container, attempt, podIPs, clusterDomain }: ContainerInputs,
  podDir: string,
): { mounts: Mount[]; terminationFile: string } {
  const mounts: Mount[] = [];
  const mounted = (path: string): boolean => (container.volumeMounts ?? []).some(({ mountPath }) => mountPath === path);
  if (!mounted('/etc/hosts')) {
    const file = join(podDir, 'etc-hosts');
    mkdirSync(podDir, { recursive: true });
    writeFileSync(file, etcHosts(pod, podIPs, clusterDomain));
    mounts.push({ containerPath: '/etc/hosts', hostPath: file, readonly: false });
  }
  const terminationPath = container.terminationMessagePath ?? '/dev/termination-log';
  let terminationFile = '';
  if (terminationPath && !mounted(terminationPath)) {
    const dir = join(podDir, 'containers', container.name);
    terminationFile = join(dir, String(attempt));
    mkdirSync(dir, { recursive: true });
    // Whatever user the container runs as may write it.
    writeFileSync(terminationFile, '');
    chmodSync(terminationFile, 0o666);
    mounts.push({ containerPath: terminationPath, hostPath: terminationFile, readonly: false });
  }
  return { mounts, terminationFile };
}

import { chmod, chown, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { quantityValue, type Volume } from '@kubernel/sdk/api';
import {
  type ConfigMapSource,
  type DownwardItem,
  type PodSecurity,
  type ProjectedSource,
  type SecretSource,
  uidOf,
} from '../pod-fields.ts';
import { type Payload, writeAtomically } from './atomic-writer.ts';
import { prepareHostPath } from './host-path.ts';
import { mountTmpfs, unmountBelow } from './mounts.ts';
import { configMapPayload, downwardPayload, type PayloadInputs, projectedPayload, secretPayload } from './payload.ts';

export interface MountedVolumes {
  /** False for simulated containers: nothing is on any disk. */
  real: boolean;
  paths: ReadonlyMap<string, { path: string; readOnly: boolean }>;
}

export interface VolumeManager {
  /**
   * Makes every volume of a pod ready, and brings those that show API objects up to date. Idempotent: called before the
   * first container and again whenever something the pod refers to changed. Throws a VolumeError that names the volume.
   */
  prepare(inputs: PayloadInputs): Promise<MountedVolumes>;
  /** Undoes it all. The pod's containers must be gone. */
  remove(uid: string): Promise<void>;
  /** Pods that have something on disk, from an earlier life too. */
  known(): Promise<string[]>;
  /** The pod's directory; undefined when simulated. */
  podDir(uid: string): string | undefined;
  close(): Promise<void>;
}

/** `volume` could not be made ready; the message is upstream's, for the FailedMount event. */
export class VolumeError extends Error {
  readonly code = 'ERR_VOLUME';

  constructor(volume: string, reason: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${reason}`);
  }
}

interface VolumeSources {
  configMap?: ConfigMapSource;
  secret?: SecretSource;
  downwardAPI?: { items?: DownwardItem[]; defaultMode?: number };
  projected?: { sources?: ProjectedSource[]; defaultMode?: number };
  emptyDir?: { medium?: string; sizeLimit?: string };
  hostPath?: { path: string; type?: string };
}

/** Directory names upstream gives volumes below a pod's own. */
const PLUGIN_DIRS: Readonly<Record<string, string>> = {
  configMap: 'kubernetes.io~configmap',
  secret: 'kubernetes.io~secret',
  downwardAPI: 'kubernetes.io~downward-api',
  projected: 'kubernetes.io~projected',
  emptyDir: 'kubernetes.io~empty-dir',
};

/**
 * Volumes on this machine, under `<root>/pods/<uid>/volumes`. What holds secrets is kept in memory: one tmpfs for all pods at
 * `<root>/memory`, since a mount for each would cost each pod two processes.
 */
export class HostVolumes implements VolumeManager {
  readonly #root: string;
  #memory: Promise<string> | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  podDir(uid: string): string {
    return join(this.#root, 'pods', uid);
  }

  async prepare(inputs: PayloadInputs): Promise<MountedVolumes> {
    const paths = new Map<string, { path: string; readOnly: boolean }>();
    await Promise.all(
      (inputs.pod.spec.volumes ?? []).map(async (volume) => {
        try {
          paths.set(volume.name, await this.#one(volume, inputs));
        } catch (error) {
          throw new VolumeError(volume.name, (error as Error).message);
        }
      }),
    );
    return { real: true, paths };
  }

  async remove(uid: string): Promise<void> {
    await unmountBelow(this.podDir(uid));
    await rm(this.podDir(uid), { recursive: true, force: true });
    await rm(join(this.#root, 'memory', uid), { recursive: true, force: true });
  }

  async known(): Promise<string[]> {
    const lists = await Promise.all(['pods', 'memory'].map((dir) => readdir(join(this.#root, dir)).catch(() => [])));
    return [...new Set(lists.flat())];
  }

  /** The tmpfs goes with the last pod; while containers run on, it stays for who adopts them. */
  async close(): Promise<void> {
    if ((await this.known()).length === 0) await unmountBelow(join(this.#root, 'memory'));
  }

  async #one(volume: Volume, inputs: PayloadInputs): Promise<{ path: string; readOnly: boolean }> {
    const source = volume as unknown as VolumeSources;
    const kind = Object.keys(volume).find((key) => key !== 'name' && volume[key] != null) ?? 'emptyDir';
    const { fsGroup } = (inputs.pod.spec.securityContext ?? {}) as PodSecurity;
    const at = (base: string): string => join(base, uidOf(inputs.pod), 'volumes', PLUGIN_DIRS[kind] ?? kind, volume.name);
    const onDisk = (): string => at(join(this.#root, 'pods'));
    const show = async (payload: Payload, path: string): Promise<{ path: string; readOnly: boolean }> => {
      await writeAtomically(path, payload, fsGroup);
      return { path, readOnly: true };
    };

    if (source.configMap) return show(await configMapPayload(source.configMap, undefined, inputs), onDisk());
    if (source.downwardAPI) return show(downwardPayload(source.downwardAPI.items, source.downwardAPI.defaultMode, inputs), onDisk());
    if (source.secret) return show(await secretPayload(source.secret, undefined, inputs), at(await this.#memoryDir()));
    if (source.projected) {
      const { sources = [], defaultMode } = source.projected;
      return show(await projectedPayload(sources, defaultMode, inputs), at(await this.#memoryDir()));
    }
    if (source.hostPath) {
      await prepareHostPath(source.hostPath.path, source.hostPath.type);
      return { path: source.hostPath.path, readOnly: false };
    }
    if (kind === 'emptyDir') return { path: await emptyDir(onDisk(), source.emptyDir ?? {}, fsGroup), readOnly: false };
    throw new Error(`volumes of type ${kind} are not supported by this kubelet`);
  }

  #memoryDir(): Promise<string> {
    this.#memory ??= (async () => {
      const dir = join(this.#root, 'memory');
      await mkdir(dir, { recursive: true, mode: 0o711 });
      if (process.getuid?.() === 0) await mountTmpfs(dir, { mode: '0711' });
      return dir;
    })();
    // A mount that failed may work the next time.
    this.#memory.catch(() => (this.#memory = undefined));
    return this.#memory;
  }
}

async function emptyDir(
  path: string,
  { medium = '', sizeLimit }: { medium?: string; sizeLimit?: string },
  fsGroup: number | undefined,
): Promise<string> {
  await mkdir(path, { recursive: true });
  if (medium === 'Memory') await mountTmpfs(path, sizeLimit ? { sizeBytes: quantityValue(sizeLimit) } : {});
  else if (medium) throw new Error(`unknown storage medium "${medium}"`);
  if (fsGroup !== undefined) await chown(path, process.getuid?.() ?? 0, fsGroup);
  // The umask does not apply to pods. With an fsGroup, what is made inside belongs to it too.
  await chmod(path, fsGroup === undefined ? 0o777 : 0o2777);
  return path;
}

/** For simulated containers: objects a pod refers to must exist, and that is all. */
export class SimulatedVolumes implements VolumeManager {
  async prepare(inputs: PayloadInputs): Promise<MountedVolumes> {
    for (const volume of inputs.pod.spec.volumes ?? []) {
      const source = volume as unknown as VolumeSources;
      try {
        if (source.configMap) await configMapPayload(source.configMap, undefined, inputs);
        else if (source.secret) await secretPayload(source.secret, undefined, inputs);
      } catch (error) {
        throw new VolumeError(volume.name, (error as Error).message);
      }
    }
    return { real: false, paths: new Map() };
  }

  podDir(): undefined {
    return undefined;
  }
  async remove(): Promise<void> {}
  async known(): Promise<string[]> {
    return [];
  }
  async close(): Promise<void> {}
}

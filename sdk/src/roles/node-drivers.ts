/**
 * Roles whose first drivers are still to be written. Their names and versions are settled, so that configs, manifests and
 * permissions can refer to them; their methods are the least that the kubelet and the cluster need, and grow with the drivers
 * until the first one is released.
 */

/** csi/v1: a storage driver (https://github.com/container-storage-interface/spec), as the kubelet calls it. */
export interface CsiDriver {
  /** The driver's name as StorageClasses and PersistentVolumes know it. */
  driverName(): Promise<string>;
  /** Makes a volume usable on this node, at a staging path shared by its pods. */
  stage?(volume: CsiVolume & { stagingPath: string }): Promise<void>;
  unstage?(volume: { volumeId: string; stagingPath: string }): Promise<void>;
  /** Makes a volume appear at a pod's path. */
  publish(volume: CsiVolume & { stagingPath?: string; targetPath: string; readOnly: boolean }): Promise<void>;
  unpublish(volume: { volumeId: string; targetPath: string }): Promise<void>;
}

export interface CsiVolume {
  volumeId: string;
  attributes: Record<string, string>;
  fsType?: string;
  mountOptions?: string[];
  secrets?: Record<string, string>;
}

/** volume/v1: an extension in the kubelet's isolate that sets up one kind of `pod.spec.volumes[]` (`nfs`, `iscsi`, …). */
export interface VolumeDriver {
  /** The field of a volume that it handles. */
  readonly source: string;
  setUp(volume: Record<string, unknown>, targetPath: string): Promise<void>;
  tearDown(targetPath: string): Promise<void>;
}

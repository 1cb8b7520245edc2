import type { Storage } from '../roles/storage.ts';

export interface OpenStorage {
  storage: Storage;
  /** Afterwards the same directory can be opened again. */
  close(): void | Promise<void>;
}

export interface StorageKitOptions {
  /** Refuse growth beyond about this size. Given only to drivers that say `limits`. */
  maxSizeBytes?: number;
  /** The driver's clock, in milliseconds since the epoch. Given only to drivers that say `clock`. */
  now?: () => number;
}

/** What the kit has to know of a driver. What a driver cannot do is left out, and so are its tests. */
export interface StorageAdapter {
  name: string;
  open(dir: string, options?: StorageKitOptions): OpenStorage | Promise<OpenStorage>;
  /** What was written is there after `close` and `open`. */
  durable?: boolean;
  limits?: boolean;
  clock?: boolean;
  /** Opens a file that `backup` wrote. */
  openBackup?(file: string): OpenStorage | Promise<OpenStorage>;
  /**
   * A module that exports `open(dir)`, for a process of its own that the kit kills with SIGKILL. Node must be able to
   * import it as it is.
   */
  crashModule?: URL;
  /** How many random histories to compare with the model. Default 20. */
  histories?: number;
  /** How many times to kill. Default 8. */
  crashes?: number;
}

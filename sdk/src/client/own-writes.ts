import type { KubeObject } from '../api/object.ts';

/**
 * What a controller wrote and its informer has not brought back yet. Without it, the sync right after a write would see
 * the object from before it, do the same again, and be refused with a conflict.
 * Compares resourceVersions as numbers, which the API guarantees (KEP-5504).
 */
export class OwnWrites<T extends KubeObject> {
  readonly #byUid = new Map<string, T>();

  /** Returns what it was given, the server's answer to a write. */
  note(written: T): T {
    this.#byUid.set(written.metadata.uid ?? '', written);
    return written;
  }

  /** The newer of what the informer has and what was written. */
  latest(known: T): T {
    const uid = known.metadata.uid ?? '';
    const written = this.#byUid.get(uid);
    if (!written) return known;
    if (Number(written.metadata.resourceVersion) > Number(known.metadata.resourceVersion)) return written;
    this.#byUid.delete(uid);
    return known;
  }

  /** The object is gone, or a write of it was refused: trust the informer again. */
  forget(object: KubeObject): void {
    this.#byUid.delete(object.metadata.uid ?? '');
  }
}

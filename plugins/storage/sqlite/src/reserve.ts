import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Free space wanted beyond the reserve itself before it is taken back, so that full and not full do not alternate. */
const MARGIN_BYTES = 4 << 20;

/**
 * Disk space kept back: a file beside the database that is given up when the disk is full, so that deletes find room
 * for their log entries, and the write-ahead log for what it still has to carry over. Growth is refused until it is
 * there again.
 */
export class Reserve {
  readonly #file: string;
  readonly #bytes: number;
  #held = false;

  constructor(file: string, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
    if (bytes === 0) rmSync(file, { force: true });
    this.#held = bytes === 0 || statSync(file, { throwIfNoEntry: false })?.size === bytes || this.#fill();
  }

  get held(): boolean {
    return this.#held;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Gives the space up. True when there was any. */
  release(): boolean {
    if (!this.#held || this.#bytes === 0) return false;
    rmSync(this.#file, { force: true });
    this.#held = false;
    return true;
  }

  /** Takes the space back if the disk has it. */
  restore(): boolean {
    if (this.#held) return true;
    if (this.#free() < this.#bytes + Math.min(MARGIN_BYTES, this.#bytes)) return false;
    this.#held = this.#fill();
    return this.#held;
  }

  /** True when there is free space beyond the reserve: to call the disk full would be wrong, whether or not one tries to write. */
  get spare(): boolean {
    return this.#held && this.#free() >= MARGIN_BYTES;
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    return bavail * bsize;
  }

  #fill(): boolean {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(this.#file, 'w', 0o600);
      // Written, not truncated to size: a hole takes no space.
      const block = Buffer.alloc(1 << 20, 0x5a);
      for (let written = 0; written < this.#bytes; )
        written += writeSync(descriptor, block, 0, Math.min(block.length, this.#bytes - written));
      closeSync(descriptor);
      return true;
    } catch {
      if (descriptor !== undefined) closeSync(descriptor);
      rmSync(this.#file, { force: true });
      return false;
    }
  }
}

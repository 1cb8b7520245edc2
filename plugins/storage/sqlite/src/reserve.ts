import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Free space wanted beyond the reserve itself before it is taken back, so that full and not full do not alternate. */
const MARGIN_BYTES = 4 << 20;
/** Written, not truncated to size: a hole takes no space. */
const BLOCK = Buffer.alloc(256 << 10, 0x5a);

/**
 * Disk space kept back: a file beside the database that is given up when the disk is full, so that deletes find room
 * for their log entries, and the write-ahead log for what it still has to carry over. Growth is refused until it is
 * there again.
 *
 * The first time it is made block by block, between other work: 16 MiB take 40 ms, which a start need not wait for.
 */
export class Reserve {
  readonly #file: string;
  readonly #bytes: number;
  readonly #onLacking: () => void;
  #held = false;
  #descriptor: number | undefined;
  #written = 0;
  #next: NodeJS.Immediate | undefined;

  /** `onLacking`: the disk has no room for it. */
  constructor(file: string, bytes: number, onLacking: () => void) {
    this.#file = file;
    this.#bytes = bytes;
    this.#onLacking = onLacking;
    if (bytes === 0) {
      rmSync(file, { force: true });
      this.#held = true;
    } else if (statSync(file, { throwIfNoEntry: false })?.size === bytes) this.#held = true;
    else this.#fillOn();
  }

  /** True when the space is set aside, or is just being. */
  get held(): boolean {
    return this.#held || this.#descriptor !== undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True when there is free space beyond the reserve: to call the disk full would be wrong, whether or not one tries to write. */
  get spare(): boolean {
    return this.held && this.#free() >= MARGIN_BYTES;
  }

  /** Gives the space up. True when there was any. */
  release(): boolean {
    if (!this.held || this.#bytes === 0) return false;
    this.#giveUp();
    return true;
  }

  /** Takes the space back if the disk has it. */
  restore(): boolean {
    if (this.held) return true;
    if (this.#free() < this.#bytes + Math.min(MARGIN_BYTES, this.#bytes)) return false;
    while (this.#fill());
    return this.#held;
  }

  /** Leaves the file as it is; one that is not complete is made anew the next time. */
  close(): void {
    if (this.#next) clearImmediate(this.#next);
    this.#next = undefined;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** One block more, if it is not complete: a thread that is never idle makes it as well, one block with each commit. */
  goOn(): void {
    if (this.#next) this.#fillOn();
  }

  #fillOn(): void {
    if (this.#next) clearImmediate(this.#next);
    this.#next = undefined;
    if (this.#fill()) this.#next = setImmediate(() => this.#fillOn());
    else if (!this.#held) this.#onLacking();
  }

  /** Writes one more block. False when that was the last one, or there is no room for it. */
  #fill(): boolean {
    try {
      if (this.#descriptor === undefined) {
        this.#descriptor = openSync(this.#file, 'w', 0o600);
        this.#written = 0;
      }
      this.#written += writeSync(this.#descriptor, BLOCK, 0, Math.min(BLOCK.length, this.#bytes - this.#written));
      if (this.#written < this.#bytes) return true;
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
      this.#held = true;
    } catch {
      this.#giveUp();
    }
    return false;
  }

  #giveUp(): void {
    this.close();
    rmSync(this.#file, { force: true });
    this.#held = false;
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    return bavail * bsize;
  }
}

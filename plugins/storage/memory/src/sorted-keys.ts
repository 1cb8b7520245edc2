/** Keys a block holds before it is cut in two: an insertion moves at most this many. */
const BLOCK = 512;

/**
 * A sorted set of strings in blocks, so that an insertion moves one block's keys and not all. Code units are compared,
 * which for keys without surrogate pairs is the order of their UTF-8 bytes.
 */
export class SortedKeys {
  #blocks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The key must not be in the set. */
  add(key: string): void {
    const index = Math.max(this.#blockOf(key), 0);
    const block = this.#blocks[index];
    this.#size++;
    if (!block) {
      this.#blocks.push([key]);
      return;
    }
    block.splice(lowerBound(block, key), 0, key);
    if (block.length > BLOCK) this.#blocks.splice(index + 1, 0, block.splice(BLOCK / 2));
  }

  /** The key must be in the set. */
  delete(key: string): void {
    const index = this.#blockOf(key);
    const block = this.#blocks[index] as string[];
    block.splice(lowerBound(block, key), 1);
    this.#size--;
    if (block.length === 0) this.#blocks.splice(index, 1);
  }

  /** Keys from `start` (inclusive) on, in order. The set must not change while they are read. */
  *from(start: string): Generator<string, void> {
    let index = Math.max(this.#blockOf(start), 0);
    let position = lowerBound(this.#blocks[index] ?? [], start);
    for (; index < this.#blocks.length; index++, position = 0) {
      const block = this.#blocks[index] as string[];
      for (; position < block.length; position++) yield block[position] as string;
    }
  }

  /** The last block whose first key is not greater; -1 when there is none. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.#blocks[middle] as string[])[0] as string) <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Where the key stands, or would. */
function lowerBound(block: readonly string[], key: string): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((block[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

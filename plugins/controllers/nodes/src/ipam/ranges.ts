import { cidrContains, formatAddress, parseCidr } from '@kubernel/sdk/api';

/** Hands out blocks of one size from a CIDR: the block that was free longest, so that an old node's addresses rest a while. */
export class BlockRange {
  readonly family: 4 | 6;
  readonly #network: bigint;
  readonly #blockBits: bigint;
  readonly #prefix: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  readonly #cidr: string;
  #next = 0;

  /** `prefix`: of the blocks, 24 for /24. Throws a RangeError when the range has no room for one. */
  constructor(cidr: string, prefix: number) {
    const parsed = parseCidr(cidr);
    if (!parsed) throw new RangeError(`not a CIDR: ${cidr}`);
    const bits = parsed.family === 4 ? 32 : 128;
    if (prefix < parsed.prefix || prefix > bits) throw new RangeError(`${cidr} has no blocks of /${prefix}`);
    this.#cidr = cidr;
    this.family = parsed.family;
    this.#network = parsed.network;
    this.#prefix = prefix;
    this.#blockBits = BigInt(bits - prefix);
    // More than this nobody has nodes for, and the count must stay a number.
    this.#count = 2 ** Math.min(24, prefix - parsed.prefix);
  }

  /** Undefined when all are taken. */
  allocate(): string | undefined {
    if (this.#taken.size >= this.#count) return undefined;
    while (this.#taken.has(this.#next)) this.#next = (this.#next + 1) % this.#count;
    const index = this.#next;
    this.#taken.add(index);
    this.#next = (index + 1) % this.#count;
    return `${formatAddress({ family: this.family, value: this.#network + (BigInt(index) << this.#blockBits) })}/${this.#prefix}`;
  }

  /** A block that a node already has. Blocks outside of the range are none of its business. */
  occupy(block: string): void {
    for (const index of this.#indexesOf(block)) this.#taken.add(index);
  }

  release(block: string): void {
    for (const index of this.#indexesOf(block)) this.#taken.delete(index);
  }

  /** A block of another size (the mask was changed) covers several, or a part of one. */
  *#indexesOf(block: string): Iterable<number> {
    const parsed = parseCidr(block);
    const range = parseCidr(this.#cidr);
    if (!parsed || !range || parsed.family !== this.family || !cidrContains(range, { family: parsed.family, value: parsed.network }))
      return;
    const first = Number((parsed.network - this.#network) >> this.#blockBits);
    const span = parsed.prefix < this.#prefix ? 2 ** (this.#prefix - parsed.prefix) : 1;
    for (let index = first; index < Math.min(this.#count, first + span); index++) yield index;
  }
}

/**
 * Writes protobuf backwards, from the end of a buffer to its beginning: the length of a nested message is known once it is written,
 * and nothing is measured or moved twice. Fields are therefore written last to first.
 */
export class ProtoWriter {
  #buffer: Buffer;
  #at: number;

  constructor(sizeBytes = 4096) {
    this.#buffer = Buffer.allocUnsafe(sizeBytes);
    this.#at = sizeBytes;
  }

  /** How many bytes are written. The difference of two marks is the length of what was written between them. */
  mark(): number {
    return this.#buffer.length - this.#at;
  }

  finish(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  #reserve(bytes: number): void {
    if (this.#at >= bytes) return;
    const used = this.mark();
    const next = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + bytes));
    this.#buffer.copy(next, next.length - used, this.#at);
    this.#buffer = next;
    this.#at = next.length - used;
  }

  /** A non-negative whole number below 2^53, or a negative one as a 64-bit two's complement. */
  varint(value: number): void {
    this.#reserve(10);
    if (value >= 0 && value < 0x80) {
      this.#buffer[--this.#at] = value;
      return;
    }
    if (value < 0) return this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
    this.#at -= size;
    let rest = value;
    for (let i = 0; i < size - 1; i++) {
      this.#buffer[this.#at + i] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at + size - 1] = rest;
  }

  #bigVarint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#at -= bytes.length;
    for (const [index, byte] of bytes.entries()) this.#buffer[this.#at + index] = byte;
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** Text with its length. */
  string(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#reserve(bytes);
    this.#at -= bytes;
    this.#buffer.write(text, this.#at, bytes, 'utf8');
    this.varint(bytes);
  }

  /** Bytes with their length. */
  bytes(value: Uint8Array): void {
    this.raw(value);
    this.varint(value.length);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#at -= value.length;
    this.#buffer.set(value, this.#at);
  }
}

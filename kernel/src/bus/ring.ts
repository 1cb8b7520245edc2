import type { EventBatch } from '@kubernel/sdk';

/** What an event and a batch weigh beside their strings, roughly: four column slots, a string header, the batch itself. */
const EVENT_BYTES = 96;
const BATCH_BYTES = 256;

interface Slot {
  batch: EventBatch;
  /** All bytes ever pushed, this batch included: the distance between two slots is a subtraction. */
  end: number;
}

/**
 * The latest events, bounded by bytes. Readers hold a sequence number into it, so a reader costs no memory, however far
 * behind it is; the newest batch is kept even when it alone is larger than the bound.
 */
export class Ring {
  readonly #limit: number;
  #slots: Slot[] = [];
  /** Slots before this index are dropped; the array is cut when half of it is. */
  #head = 0;
  /** Sequence number of `#slots[0]`. */
  #base = 0;
  #end = 0;
  #dropped = 0;
  #floor = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** The ring holds every event after this revision. */
  get floor(): number {
    return this.#floor;
  }

  /** Sequence number that the next batch will have. */
  get next(): number {
    return this.#base + this.#slots.length;
  }

  get bytes(): number {
    return this.#end - this.#dropped;
  }

  push(batch: EventBatch): void {
    let bytes = BATCH_BYTES;
    for (let i = 0; i < batch.keys.length; i++) {
      bytes += EVENT_BYTES + (batch.keys[i] as string).length + (batch.values[i]?.length ?? 0) + (batch.previous?.[i]?.length ?? 0);
    }
    this.#end += bytes;
    this.#slots.push({ batch, end: this.#end });
    while (this.bytes > this.#limit && this.#head < this.#slots.length - 1) this.#drop();
  }

  /** The batch with this sequence number; undefined when it was dropped or is not there yet. */
  at(sequence: number): EventBatch | undefined {
    const index = sequence - this.#base;
    return index < this.#head ? undefined : this.#slots[index]?.batch;
  }

  /** How many bytes a reader that wants `sequence` next is behind; Infinity when that batch is gone. */
  lag(sequence: number): number {
    const index = sequence - this.#base;
    if (index >= this.#slots.length) return 0;
    if (index < this.#head) return Number.POSITIVE_INFINITY;
    return this.#end - (index === this.#head ? this.#dropped : (this.#slots[index - 1] as Slot).end);
  }

  /** The first batch with an event after this revision, for a revision that is not below the floor. */
  find(revision: number): number {
    let low = this.#head;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.#slots[middle] as Slot).batch.revisions.at(-1) as number) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#base + low;
  }

  /** Forgets everything: the next event will be one after `revision`. */
  reset(revision: number): void {
    this.#base = this.next;
    this.#slots = [];
    this.#head = 0;
    this.#dropped = this.#end;
    this.#floor = revision;
  }

  #drop(): void {
    const slot = this.#slots[this.#head] as Slot;
    this.#dropped = slot.end;
    this.#floor = slot.batch.revisions.at(-1) as number;
    // The slot stays in the array for a while; its strings must not.
    slot.batch = GONE;
    this.#head++;
    if (this.#head > 64 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#base += this.#head;
      this.#head = 0;
    }
  }
}

const GONE: EventBatch = { revisions: [], keys: [], values: [], previousRevisions: [] };

import type { Store } from '@kubernel/sdk';

interface Write {
  key: string;
  value: string | null;
  expect: number;
  reserve: boolean;
  resolve(revision: number): void;
  reject(error: unknown): void;
}

/**
 * Collects the writes of one turn of the event loop into one message to the kernel: at 32 connections that is one
 * message instead of 32, and one fsync.
 */
export class Writer {
  readonly #store: Store;
  #queue: Write[] = [];
  #scheduled = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * `deletes`: the write begins or ends a deletion and may use the space that is kept back for that on a full disk.
   * Resolves with what `CommitResult.revisions` says about this write, once it is durable.
   */
  write(key: string, value: string | null, expect: number, deletes = false): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ key, value, expect, reserve: deletes || value === null, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const writes = this.#queue;
    this.#queue = [];
    this.#scheduled = false;
    // On a full disk a batch that grows is refused as a whole: what deletes must not share its fate.
    const growing = writes.filter((write) => !write.reserve);
    const deleting = writes.filter((write) => write.reserve);
    if (growing.length > 0) this.#commit(growing, false);
    if (deleting.length > 0) this.#commit(deleting, true);
  }

  #commit(writes: readonly Write[], reserve: boolean): void {
    const keys = new Array<string>(writes.length);
    const values = new Array<string | null>(writes.length);
    const expects = new Array<number>(writes.length);
    for (let index = 0; index < writes.length; index++) {
      const write = writes[index] as Write;
      keys[index] = write.key;
      values[index] = write.value;
      expects[index] = write.expect;
    }
    this.#store.commit({ keys, values, expects, ...(reserve ? { reserve } : {}) }).then(
      (result) => {
        for (let index = 0; index < writes.length; index++) (writes[index] as Write).resolve(result.revisions[index] as number);
      },
      (error) => {
        for (const write of writes) write.reject(error);
      },
    );
  }
}

import {
  CONFLICT_ABSENT,
  EXPECT_ANY,
  type HistoryBatch,
  KubernelError,
  type ListPage,
  type Store,
  type StoreMessage,
  type WriteBatch,
} from '@kubernel/sdk';

interface Version {
  revision: number;
  key: string;
  value: string | null;
}

/** store/v1 in memory, by hand: the whole log is kept, `compactTo` forgets. For this package's own tests. */
export class FakeStore implements Store {
  readonly #log: Version[] = [];
  readonly #live = new Map<string, { value: string; revision: number }>();
  readonly #cell = new SharedArrayBuffer(8);
  readonly #failing = new Set<() => void>();
  readonly #subscribers = new Set<(message: StoreMessage) => void>();
  compacted = 0;
  commits = 0;

  get revision(): number {
    return this.#log.length;
  }

  /** As after ERR_SLOW_READER of a cursor that is then compacted: whoever follows has to begin anew. */
  breakSubscriptions(): void {
    for (const fail of [...this.#failing]) fail();
  }

  compactTo(revision: number): void {
    this.compacted = revision;
  }

  async commit({ keys, values, expects }: WriteBatch) {
    this.commits++;
    const revisions: number[] = [];
    const previousRevisions: number[] = [];
    const events: Version[] = [];
    const before: number[] = [];
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      const value = values[index] as string | null;
      const expect = expects[index] as number;
      const current = this.#live.get(key)?.revision ?? 0;
      if ((expect !== EXPECT_ANY && expect !== current) || (value === null && current === 0)) {
        revisions.push(current === 0 ? CONFLICT_ABSENT : -current);
        previousRevisions.push(0);
        continue;
      }
      const revision = this.#log.length + 1;
      const version = { revision, key, value };
      this.#log.push(version);
      if (value === null) this.#live.delete(key);
      else this.#live.set(key, { value, revision });
      revisions.push(revision);
      previousRevisions.push(current);
      events.push(version);
      before.push(current);
    }
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.store(new BigInt64Array(this.#cell), 0, BigInt(this.#log.length));
    if (events.length > 0) {
      const message: StoreMessage = {
        type: 'events',
        events: {
          revisions: events.map((e) => e.revision),
          keys: events.map((e) => e.key),
          values: events.map((e) => e.value),
          previousRevisions: before,
        },
      };
      // Later than the acknowledgement, as over two ports: consistent reads have to wait.
      setTimeout(() => {
        for (const push of this.#subscribers) push(message);
      }, 0);
    }
    return { revisions, previousRevisions };
  }

  async get(key: string, revision = this.revision) {
    const found = this.#log.filter((version) => version.key === key && version.revision <= revision).at(-1);
    return found && found.value !== null ? { key, value: found.value, revision: found.revision } : null;
  }

  async *list({
    prefix,
    revision = this.revision,
    after = '',
    limit = Number.POSITIVE_INFINITY,
  }: {
    prefix: string;
    revision?: number;
    after?: string;
    limit?: number;
  }): AsyncGenerator<ListPage> {
    this.#check(revision);
    const at = new Map<string, Version>();
    for (const version of this.#log)
      if (version.revision <= revision && version.key.startsWith(prefix) && version.key > after) at.set(version.key, version);
    const found = [...at.values()]
      .filter((version) => version.value !== null)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, limit);
    yield { revision, keys: found.map((v) => v.key), values: found.map((v) => v.value as string), revisions: found.map((v) => v.revision) };
  }

  async count({ prefix }: { prefix: string }) {
    return [...this.#live.keys()].filter((key) => key.startsWith(prefix)).length;
  }

  async *history(from: number, prefix = ''): AsyncGenerator<HistoryBatch> {
    this.#check(from);
    for (const { revision, key, value } of this.#log.slice(from)) {
      if (!key.startsWith(prefix)) continue;
      const previous = this.#log.filter((version) => version.key === key && version.revision < revision).at(-1);
      yield {
        revisions: [revision],
        keys: [key],
        values: [value],
        previous: [previous?.value ?? null],
        previousRevisions: [previous?.value ? previous.revision : 0],
      };
    }
  }

  async *subscribe({ from }: { prefix: string; from?: number }): AsyncGenerator<StoreMessage> {
    const queue: StoreMessage[] = [];
    let wake: (() => void) | undefined;
    const push = (message: StoreMessage): void => {
      queue.push(message);
      wake?.();
    };
    let broken = false;
    const fail = (): void => {
      broken = true;
      wake?.();
    };
    this.#subscribers.add(push);
    this.#failing.add(fail);
    try {
      if (from !== undefined && from < this.compacted) throw new KubernelError('ERR_COMPACTED', 'compacted');
      if (from === undefined) {
        for await (const page of this.list({ prefix: '' })) queue.unshift({ type: 'snapshot', page });
        queue.push({ type: 'synced', revision: this.revision });
      }
      for (;;) {
        if (broken) throw new KubernelError('ERR_SLOW_READER', 'too slow');
        while (queue.length > 0) yield queue.shift() as StoreMessage;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#subscribers.delete(push);
      this.#failing.delete(fail);
    }
  }

  async info() {
    return { revision: this.revision, compacted: this.compacted, revisionCell: this.#cell };
  }

  #check(revision: number): void {
    if (revision < this.compacted) throw new KubernelError('ERR_COMPACTED', `revision ${revision} is compacted`);
  }
}

import { CONFLICT_ABSENT, type CommitResult, EXPECT_ANY, type WriteBatch } from '../roles/storage.ts';

export interface ModelEvent {
  revision: number;
  key: string;
  value: string | null;
  previous: string | null;
  previousRevision: number;
}

/**
 * What storage/v1 means, as plainly as it can be said: the log of everything, and every answer worked out from it anew.
 * Drivers are compared with it.
 */
export class StorageModel {
  readonly log: ModelEvent[] = [];
  compacted = 0;

  get revision(): number {
    return this.log.length;
  }

  commit({ keys, values, expects }: WriteBatch): CommitResult {
    const result: CommitResult = { revisions: [], previousRevisions: [] };
    keys.forEach((key, i) => {
      const found = this.get(key, this.revision);
      const value = values[i] as string | null;
      const expect = expects[i] as number;
      const holds = expect === EXPECT_ANY || expect === (found?.revision ?? 0);
      if (!holds || (value === null && !found)) {
        result.revisions.push(found ? -found.revision : CONFLICT_ABSENT);
        result.previousRevisions.push(0);
        return;
      }
      const event = { revision: this.revision + 1, key, value, previous: found?.value ?? null, previousRevision: found?.revision ?? 0 };
      this.log.push(event);
      result.revisions.push(event.revision);
      result.previousRevisions.push(event.previousRevision);
    });
    return result;
  }

  get(key: string, revision: number): { key: string; value: string; revision: number } | null {
    for (let i = revision - 1; i >= 0; i--) {
      const event = this.log[i] as ModelEvent;
      if (event.key === key) return event.value === null ? null : { key, value: event.value, revision: event.revision };
    }
    return null;
  }

  /** Live values under a prefix, after a key, in key order. */
  list(prefix: string, revision: number, after?: string): { key: string; value: string; revision: number }[] {
    const newest = new Map<string, ModelEvent>();
    for (const event of this.log.slice(0, revision)) if (event.key.startsWith(prefix)) newest.set(event.key, event);
    return [...newest.values()]
      .filter(({ key, value }) => value !== null && (after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
      .map(({ key, value, revision: at }) => ({ key, value: value as string, revision: at }));
  }

  history(from: number, prefix = ''): ModelEvent[] {
    return this.log.slice(from).filter(({ key }) => key.startsWith(prefix));
  }
}

import { type CommitResult, type EventBatch, EXPECT_ANY, type HistoryBatch, type WriteBatch } from '@kubernel/sdk';
import { invalidBatch } from './errors.ts';

/**
 * Refuses what a storage could not carry out, before it is joined with other callers' writes: one malformed batch must
 * not fail theirs. Returns the batch's weight in bytes.
 */
export function weigh({ keys, values, expects }: WriteBatch): number {
  if (!Array.isArray(keys) || !Array.isArray(values) || !Array.isArray(expects))
    throw invalidBatch('a batch has the columns keys, values and expects');
  if (keys.length !== values.length || keys.length !== expects.length) {
    throw invalidBatch(`columns differ in length: ${keys.length} keys, ${values.length} values, ${expects.length} expects`);
  }
  let bytes = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const value = values[i];
    const expect = expects[i] as number;
    if (typeof key !== 'string' || key === '' || !key.isWellFormed())
      throw invalidBatch(`keys[${i}] is not a well-formed, non-empty string`);
    if (value !== null && (typeof value !== 'string' || !value.isWellFormed()))
      throw invalidBatch(`the value of "${key}" is not a well-formed string`);
    if (!Number.isSafeInteger(expect) || expect < EXPECT_ANY) throw invalidBatch(`"${key}" expects ${expect}, which is not a revision`);
    bytes += key.length + (value?.length ?? 0) + 32;
  }
  return bytes;
}

/** The events of a commit: its writes that were made. Takes the batch's own columns when all were. */
export function eventsOf(batch: WriteBatch, result: CommitResult): EventBatch {
  const { keys, values } = batch;
  const { revisions, previousRevisions } = result;
  let made = 0;
  for (let i = 0; i < revisions.length; i++) if ((revisions[i] as number) > 0) made++;
  if (made === keys.length) return { revisions, keys, values, previousRevisions };
  const events: EventBatch = { revisions: [], keys: [], values: [], previousRevisions: [] };
  if (made === 0) return events;
  for (let i = 0; i < revisions.length; i++) {
    if ((revisions[i] as number) <= 0) continue;
    events.revisions.push(revisions[i] as number);
    events.keys.push(keys[i] as string);
    events.values.push(values[i] as string | null);
    events.previousRevisions.push(previousRevisions[i] as number);
  }
  return events;
}

/** The part of a history that lies at or below a revision. */
export async function* upTo(history: AsyncIterable<HistoryBatch>, revision: number): AsyncGenerator<HistoryBatch, void> {
  for await (const batch of history) {
    let count = batch.revisions.length;
    while (count > 0 && (batch.revisions[count - 1] as number) > revision) count--;
    if (count === batch.revisions.length) yield batch;
    else {
      if (count > 0) {
        yield {
          revisions: batch.revisions.slice(0, count),
          keys: batch.keys.slice(0, count),
          values: batch.values.slice(0, count),
          previousRevisions: batch.previousRevisions.slice(0, count),
          previous: batch.previous.slice(0, count),
        };
      }
      return;
    }
  }
}

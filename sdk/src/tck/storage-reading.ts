import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, isCode } from '../errors.ts';
import { EXPECT_ANY, type HistoryBatch, type ListPage, type WriteBatch } from '../roles/storage.ts';

export type Write = [key: string, value: string | null, expect?: number];

export function batch(...writes: Write[]): WriteBatch {
  return {
    keys: writes.map(([key]) => key),
    values: writes.map(([, value]) => value),
    expects: writes.map(([, , expect = EXPECT_ANY]) => expect),
  };
}

/** All pages as one. */
export async function pages(list: AsyncIterable<ListPage>): Promise<ListPage> {
  let all: ListPage | undefined;
  for await (const page of list) {
    all ??= { revision: page.revision, keys: [], values: [], revisions: [] };
    assert.equal(page.revision, all.revision, 'pages of different revisions');
    for (const column of ['keys', 'values', 'revisions'] as const) (all[column] as unknown[]).push(...page[column]);
  }
  assert.ok(all, 'a list without any page');
  return all;
}

export async function events(history: AsyncIterable<HistoryBatch>): Promise<HistoryBatch> {
  const all: HistoryBatch = { revisions: [], keys: [], values: [], previous: [], previousRevisions: [] };
  for await (const one of history) {
    for (const column of Object.keys(all) as (keyof HistoryBatch)[]) (all[column] as unknown[]).push(...(one[column] as unknown[]));
  }
  return all;
}

export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(
    promise,
    (error) => isCode(error, code) || assert.fail(`expected ${code}, got ${String((error as Error).stack ?? error)}`),
  );
}

/** Runs in a directory of its own that is removed afterwards. */
export async function inDirectory<T>(body: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'storage-kit-'));
  try {
    return await body(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

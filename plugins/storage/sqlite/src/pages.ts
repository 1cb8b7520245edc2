import type { HistoryBatch, ListPage } from '@kubernel/sdk';
import type { Statements } from './statements.ts';

/** A page ends after about this many characters of values, or this many rows. */
const PAGE_CHARS = 1 << 20;
const PAGE_ROWS = 4096;
/** A page of history looks at no more revisions than this, however few of them are wanted: about 5 ms of work. */
const SCAN_REVISIONS = 10_000;

/**
 * Values of keys in a range at a revision. A page is read in one go: a statement left open between two turns of the
 * event loop would keep the write-ahead log from starting anew.
 */
export function listPage(
  sql: Statements,
  from: string,
  to: string | Uint8Array,
  revision: number,
  limit: number,
): { page: ListPage; more: boolean } {
  const page: ListPage = { revision, keys: [], values: [], revisions: [] };
  const rows = Math.min(limit, PAGE_ROWS);
  let chars = 0;
  for (const row of sql.list.iterate(from, to, revision)) {
    const [key, value, version] = row as unknown as [string, string, number];
    page.keys.push(key);
    page.values.push(value);
    page.revisions.push(version);
    chars += value.length;
    if (page.keys.length >= rows || chars >= PAGE_CHARS) return { page, more: true };
  }
  return { page, more: false };
}

/** Events with after < revision <= upTo, or the first of them: those up to the revision that was reached. */
export function historyPage(
  sql: Statements,
  after: number,
  upTo: number,
  range: { from: string; to: string | Uint8Array },
): { batch: HistoryBatch; reached: number } {
  const batch: HistoryBatch = { revisions: [], keys: [], values: [], previous: [], previousRevisions: [] };
  const end = Math.min(upTo, after + SCAN_REVISIONS);
  let chars = 0;
  for (const row of sql.history.iterate(after, end, range.from, range.to)) {
    const [revision, key, value, previousRevision, previous] = row as unknown as [number, string, string | null, number, string | null];
    batch.revisions.push(revision);
    batch.keys.push(key);
    batch.values.push(value);
    batch.previous.push(previous);
    batch.previousRevisions.push(previousRevision);
    chars += (value?.length ?? 0) + (previous?.length ?? 0);
    if (batch.keys.length >= PAGE_ROWS || chars >= PAGE_CHARS) return { batch, reached: revision };
  }
  return { batch, reached: end };
}

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { corrupt, foreign, newer, translate } from './errors.ts';

/** 'KUBL': marks the file as ours (https://www.sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x4b55424c;
export const SCHEMA_VERSION = 1;

/**
 * Pages of 8 KiB: values of 2 KB pack three to a page where 4 KiB pages hold one, which made 64 grouped puts 1.5 times
 * as fast, while a single put still costs the same fsync.
 */
export const PAGE_BYTES = 8192;

/**
 * One table, and each value in it once: it is the present, the history and every snapshot in between.
 *
 * `previous` is the revision that this row replaced, 0 for a key that did not exist: with it, compaction and the old
 * values of history are found without a search. `live` is 0 for a deletion; it is in the index so that comparing,
 * counting and choosing versions never touch a value.
 */
const SCHEMA = `
  CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    key      TEXT    NOT NULL,
    live     INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    value    TEXT
  ) STRICT;
  CREATE INDEX log_key ON log (key, revision, live);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('compacted', 0), ('compacted_time', 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** How long to wait for a predecessor that is just letting go of the file. */
const LOCK_WAIT_MS = 500;

export interface OpenOptions {
  file: string;
  cacheBytes: number;
  integrityCheck: 'auto' | 'always' | 'never';
}

/**
 * Opens the database for this process alone, making it when it is not there. The lock is SQLite's own (a lock of the
 * operating system on the file), so it ends with the process however that ends.
 *
 * The file is never opened by other means while it is in use: closing any descriptor of it would drop the lock
 * (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
export function openDatabase({ file, cacheBytes, integrityCheck }: OpenOptions): DatabaseSync {
  prepareFile(file);
  const unclean = sizeOf(`${file}-wal`) > 0;
  const db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
  try {
    // Before the first access in WAL mode, exclusive locking keeps the WAL index in memory: no -shm file, fewer calls.
    db.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = 67108864;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -${Math.ceil(cacheBytes / 1024)};
    `);
    checkSchema(db, file);
    if (existsSync(restoredMark(file))) moveRevisionsAhead(db, file);
    if (integrityCheck === 'always' || (integrityCheck === 'auto' && unclean)) checkIntegrity(db, file);
    return db;
  } catch (error) {
    db.close();
    throw translate(error, file);
  }
}

/** Whoever puts an older copy in the place of the database puts this empty file beside it. */
const restoredMark = (file: string): string => `${file}.restored`;

/** Larger than the number of writes between any copy and its restoration. */
const REVISION_LEAP = 1_000_000;

/**
 * A restored copy turns revisions back, so those that watchers hold would come to mean something else. They are moved
 * ahead and the history is forgotten: old watchers are told that theirs is gone, and list again.
 */
function moveRevisionsAhead(db: DatabaseSync, file: string): void {
  db.exec(`
    BEGIN IMMEDIATE;
    DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE previous > 0);
    UPDATE meta SET value = (SELECT max(max(revision), (SELECT value FROM meta WHERE name = 'compacted')) FROM log) + ${REVISION_LEAP} WHERE name = 'compacted';
    UPDATE meta SET value = (SELECT max(time) FROM log) WHERE name = 'compacted_time';
    DELETE FROM log WHERE live = 0;
    COMMIT;
  `);
  rmSync(restoredMark(file));
}

/** SQLite gives its side files the mode of the database, so it must be right from the start. */
function prepareFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error;
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
}

function checkSchema(db: DatabaseSync, file: string): void {
  const id = pragma(db, 'application_id');
  const version = pragma(db, 'user_version');
  if (id === APPLICATION_ID) {
    if (version > SCHEMA_VERSION) throw newer(file, version, SCHEMA_VERSION);
    return;
  }
  if (id !== 0 || (db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }).n > 0) throw foreign(file);
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
}

function checkIntegrity(db: DatabaseSync, file: string): void {
  const { quick_check: answer } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (answer !== 'ok') throw corrupt(file, answer);
}

/** The value of a pragma that is a number. */
export function pragma(db: DatabaseSync, name: string): number {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[0] as number;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

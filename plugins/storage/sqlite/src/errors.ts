import { type ErrorCode, KubernelError } from '@kubernel/sdk';

/** What this driver refuses with, and what SQLite's own errors mean in storage/v1's words. */
export const closed = (file: string): KubernelError =>
  new KubernelError('ERR_STORAGE_CLOSED', `${file} is closed`, { subject: 'storage/sqlite' });

export const full = (file: string, cause?: unknown): KubernelError =>
  new KubernelError('ERR_STORAGE_FULL', `there is no room for more in ${file}`, {
    subject: 'storage/sqlite',
    hint: 'free space on its disk, delete objects, or raise maxSizeBytes; deletes and reads go on working',
    cause,
  });

export const locked = (file: string): KubernelError =>
  new KubernelError('ERR_STORAGE_LOCKED', `${file} is open in another process`, {
    subject: 'storage/sqlite',
    hint: 'stop the other kernel (`kubernel down`), or give this one a data directory of its own',
  });

export const corrupt = (file: string, detail: string): KubernelError =>
  new KubernelError('ERR_STORAGE_CORRUPT', `${file} is damaged: ${detail}`, {
    subject: 'storage/sqlite',
    hint: 'move the file away and restore a snapshot with `kubernel snapshot restore`',
  });

export const foreign = (file: string): KubernelError =>
  new KubernelError('ERR_STORAGE_FOREIGN', `${file} is a database of another program`, {
    subject: 'storage/sqlite',
    hint: 'choose another file in its config',
  });

export const newer = (file: string, found: number, known: number): KubernelError =>
  new KubernelError('ERR_STORAGE_SCHEMA_NEWER', `${file} has schema version ${found}, this driver knows up to ${known}`, {
    subject: 'storage/sqlite',
    hint: 'it was written by a newer release: run that one, or restore a snapshot made by this one',
  });

export const compacted = (revision: number, floor: number): KubernelError =>
  new KubernelError('ERR_COMPACTED', `revision ${revision} is older than the history, which starts after ${floor}`, {
    subject: 'storage/sqlite',
  });

export const future = (revision: number, newest: number): KubernelError =>
  new KubernelError('ERR_FUTURE_REVISION', `revision ${revision} is newer than the newest, ${newest}`, { subject: 'storage/sqlite' });

export const invalid = (reason: string): KubernelError => new KubernelError('ERR_STORAGE_INVALID', reason, { subject: 'storage/sqlite' });

// Primary result codes: https://www.sqlite.org/rescode.html. The low byte of an extended code is its primary code.
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** True for errors that SQLite raised, by their primary code. */
function primaryCode(error: unknown): number {
  const errcode = (error as { errcode?: unknown } | null)?.errcode;
  return typeof errcode === 'number' ? errcode & 0xff : 0;
}

export const isFull = (error: unknown): boolean => primaryCode(error) === SQLITE_FULL;

/** After such an error only the file knows what was written: it must be opened anew. */
export const isBroken = (error: unknown): boolean =>
  [SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN].includes(primaryCode(error));

/** SQLite's error in the words of the contract; anything else as it is. */
export function translate(error: unknown, file: string): unknown {
  const code = primaryCode(error);
  const { message } = error as Error;
  if (code === 0) return error;
  if (code === SQLITE_FULL) return full(file, error);
  if (code === SQLITE_BUSY || code === SQLITE_LOCKED) return locked(file);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return corrupt(file, message);
  const known: ErrorCode = 'ERR_STORAGE_IO';
  return new KubernelError(known, `${file}: ${message} (SQLite ${(error as { errcode: number }).errcode})`, {
    subject: 'storage/sqlite',
    hint: 'the disk or its filesystem failed; look at `dmesg`',
    cause: error,
  });
}

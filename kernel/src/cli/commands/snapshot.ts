import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { KubernelError } from '@kubernel/sdk';
import { control } from '../../control/client.ts';
import { readRunFile } from '../../data-dir.ts';
import { dataDirInUse } from '../../errors.ts';
import { print, size } from '../output.ts';

export async function snapshotSave(file: string, { dataDir }: { dataDir: string }): Promise<void> {
  const target = resolve(file);
  await control(resolve(dataDir), 'POST', '/snapshot', { file: target });
  await chmod(target, 0o600);
  print(`Saved ${target} (${size((await stat(target)).size)}). It holds every secret of the cluster: keep it safe.`);
}

/** Where storage/sqlite keeps its database. */
function databaseOf(dataDir: string): string {
  return join(dataDir, 'plugins', 'storage', 'sqlite', 'store.db');
}

export async function snapshotRestore(file: string, { dataDir, force }: { dataDir: string; force?: boolean }): Promise<void> {
  const dir = resolve(dataDir);
  const running = await readRunFile(dir);
  if (running) throw dataDirInUse(dir, running.pid);
  const { DatabaseSync } = await import('node:sqlite');
  try {
    using database = new DatabaseSync(resolve(file), { readOnly: true });
    const answer = database.prepare('PRAGMA quick_check').get() as { quick_check: string };
    if (answer.quick_check !== 'ok') throw new Error(answer.quick_check);
  } catch (error) {
    throw new KubernelError('ERR_SNAPSHOT_INVALID', `${file} is no snapshot: ${(error as Error).message}`, {
      hint: 'name a file that `kubernel snapshot save` wrote',
    });
  }
  const database = databaseOf(dir);
  await mkdir(dirname(database), { recursive: true, mode: 0o700 });
  await Promise.all([`${database}-wal`, `${database}-shm`].map((one) => (force ? rm(one, { force: true }) : undefined)));
  try {
    await copyFile(resolve(file), database, force ? 0 : constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new KubernelError('ERR_DATA_EXISTS', `${dir} holds a cluster already`, {
      hint: 'restore elsewhere with --data-dir, or replace it with --force',
    });
  }
  await chmod(database, 0o600);
  // The storage moves the revisions of a restored copy ahead, so that those which watchers hold keep their meaning.
  await writeFile(`${database}.restored`, '', { mode: 0o600 });
  print(`Restored ${file}. Start the cluster with: kubernel up --data-dir ${dataDir}`);
}

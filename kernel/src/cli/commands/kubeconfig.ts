import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readRunFile } from '../../data-dir.ts';
import { notRunning } from '../../errors.ts';
import { print } from '../output.ts';

export async function kubeconfig({ dataDir, path }: { dataDir: string; path?: boolean }): Promise<void> {
  const dir = resolve(dataDir);
  if (!(await readRunFile(dir))) throw notRunning(dir);
  const file = join(dir, 'kubeconfig');
  print(path ? file : (await readFile(file, 'utf8')).trimEnd());
}

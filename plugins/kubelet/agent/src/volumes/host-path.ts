import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';

const CHECKS: Readonly<Record<string, { is(stats: Stats): boolean; what: string }>> = {
  Directory: { is: (stats) => stats.isDirectory(), what: 'a directory' },
  File: { is: (stats) => stats.isFile(), what: 'a file' },
  Socket: { is: (stats) => stats.isSocket(), what: 'a socket file' },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), what: 'a character device' },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), what: 'a block device' },
};

/** https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types */
export async function prepareHostPath(path: string, type = ''): Promise<void> {
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
  else if (type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close();
  const check = CHECKS[type.replace('OrCreate', '')];
  if (!check) return;
  const stats = await stat(path).catch(() => undefined);
  if (!stats || !check.is(stats)) throw new Error(`hostPath type check failed: ${path} is not ${check.what}`);
}

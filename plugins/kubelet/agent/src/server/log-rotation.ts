import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { CriRuntime } from '@kubernel/sdk';

export interface RotationLimits {
  maxSizeBytes: number;
  /** Files of one container, the current one included. */
  maxFiles: number;
}

/**
 * Renames a container's log when it is too large and has the runtime open a new one. Older files are compressed, except the
 * newest of them, which a reader may still have open. https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation
 */
export async function rotateLog(
  cri: CriRuntime,
  containerId: string,
  file: string,
  limits: RotationLimits,
  now = new Date(),
): Promise<boolean> {
  const info = await stat(file).catch(() => undefined);
  if (!info || info.size <= limits.maxSizeBytes) return false;
  const dir = dirname(file);
  const rotated = (await readdir(dir)).filter((name) => name.startsWith(`${basename(file)}.`) && !name.endsWith('.tmp')).sort();
  // With the file about to be renamed and the new one, `maxFiles` remain.
  for (const name of rotated.slice(0, Math.max(0, rotated.length - (limits.maxFiles - 2)))) await rm(join(dir, name), { force: true });
  for (const name of rotated.slice(Math.max(0, rotated.length - (limits.maxFiles - 2)))) {
    if (!name.endsWith('.gz')) await compress(join(dir, name));
  }
  const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const target = `${file}.${stamp}`;
  await rename(file, target);
  try {
    await cri.reopenContainerLog({ containerId });
  } catch (error) {
    // The runtime writes on to the renamed file: undo, so that readers find it.
    await rename(target, file);
    throw error;
  }
  return true;
}

async function compress(file: string): Promise<void> {
  await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.gz.tmp`));
  await rename(`${file}.gz.tmp`, `${file}.gz`);
  await rm(file);
}

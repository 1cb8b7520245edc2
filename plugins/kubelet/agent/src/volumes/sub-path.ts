import { mkdir, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ContainerWaiting } from '../errors.ts';

/**
 * The place inside a volume that a container mounts. Links are followed here and may not lead out of the volume: a
 * container could otherwise plant one and have the next container mount any file of the host (CVE-2017-1002101).
 */
export async function subPathSource(volume: string, subPath: string, readOnly: boolean): Promise<string> {
  const root = await realpath(volume);
  const wanted = join(volume, subPath);
  let found = await realpath(wanted).catch(() => undefined);
  if (found === undefined) {
    if (readOnly) throw failed(subPath, 'it does not exist');
    // Create one level after the other, so that none of them is made through a link that leads out.
    let at = root;
    for (const part of subPath.split('/').filter((name) => name && name !== '.')) {
      const next = join(at, part);
      await mkdir(next, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw failed(subPath, error.message);
      });
      at = inside(root, await realpath(next), subPath);
    }
    found = at;
  }
  return inside(root, found, subPath);
}

function inside(root: string, path: string, subPath: string): string {
  // `..2026_11_20…`, where an atomic writer keeps its files, is inside.
  if (/^\.\.(\/|$)/.test(relative(root, path))) throw failed(subPath, 'it leads out of its volume');
  return path;
}

function failed(subPath: string, reason: string): ContainerWaiting {
  return new ContainerWaiting('CreateContainerConfigError', `failed to prepare subPath "${subPath}": ${reason}`);
}

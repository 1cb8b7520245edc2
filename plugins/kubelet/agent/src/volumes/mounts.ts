import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Mounts a tmpfs unless something is mounted there already. `sizeBytes` 0: half of the machine's memory, the kernel's default. */
export async function mountTmpfs(path: string, options: { sizeBytes?: number; mode?: string } = {}): Promise<void> {
  if (await isMounted(path)) return;
  const flags = [`mode=${options.mode ?? '1777'}`, ...(options.sizeBytes ? [`size=${options.sizeBytes}`] : [])];
  await run('mount', ['-t', 'tmpfs', '-o', flags.join(','), 'tmpfs', path]);
}

/** Everything mounted at or below a path, deepest first. Lazily, so that a process with an open file does not hold it. */
export async function unmountBelow(path: string): Promise<void> {
  const points = (await mountPoints()).filter((point) => point === path || point.startsWith(`${path}/`));
  for (const point of points.toReversed()) await run('umount', ['-l', point]).catch(() => {});
}

export async function isMounted(path: string): Promise<boolean> {
  return (await mountPoints()).includes(path);
}

async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  // Spaces and the like are written as octal escapes.
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ')[1]!.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}

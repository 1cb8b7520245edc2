import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface ProjectedFile {
  data: Buffer;
  mode: number;
}
/** Relative path -> file. Paths are checked by the API server: no `..`, not absolute. */
export type Payload = Map<string, ProjectedFile>;

const DATA = '..data';

/**
 * Makes a directory show exactly these files, all of them changing at once: the files stand in a new directory, `..data` is
 * a link to it that one rename moves over, and what a container opens (`key`) is a link through `..data`. A container that
 * reads two keys through one opened directory never sees halves of two versions.
 * Returns whether anything changed.
 */
export async function writeAtomically(dir: string, payload: Payload, gid?: number): Promise<boolean> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const current = await readlink(join(dir, DATA)).catch(() => undefined);
  if (current !== undefined && (await holds(join(dir, current), payload))) return false;

  const version = await mkdtemp(join(dir, `..${new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '_')}.`));
  // mkdtemp makes it for its owner alone; the containers' users must get through.
  await chmod(version, 0o755);
  for (const [path, { data, mode }] of payload) {
    const file = join(version, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, data);
    // The group that owns the volume may always read it.
    await chmod(file, gid === undefined ? mode : mode | 0o440);
    if (gid !== undefined) await chown(file, process.getuid?.() ?? 0, gid);
  }
  const link = join(dir, `${DATA}_tmp`);
  await rm(link, { force: true });
  await symlink(version.slice(dir.length + 1), link);
  await rename(link, join(dir, DATA));

  const visible = new Set([...payload.keys()].map((path) => path.split('/')[0]!));
  for (const name of visible) {
    if (!(await lstat(join(dir, name)).catch(() => undefined))) await symlink(join(DATA, name), join(dir, name));
  }
  for (const name of await readdir(dir)) {
    if (!name.startsWith('..') && !visible.has(name)) await rm(join(dir, name), { recursive: true, force: true });
  }
  if (current !== undefined) await rm(join(dir, current), { recursive: true, force: true });
  return true;
}

async function holds(dir: string, payload: Payload): Promise<boolean> {
  const present = (await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])).filter((entry) => entry.isFile());
  if (present.length !== payload.size) return false;
  for (const [path, { data }] of payload) {
    const existing = await readFile(join(dir, path)).catch(() => undefined);
    if (!existing?.equals(data)) return false;
  }
  return true;
}

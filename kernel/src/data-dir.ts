import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { dataDirInUse } from './errors.ts';

/** What `<data-dir>/kernel.json` says about the kernel that runs there. */
export interface RunFile {
  pid: number;
  /** Kernel start time of the process, so that a pid used again is not taken for it. */
  started: string;
  config: string | undefined;
  socket?: string;
}

const runFile = (dataDir: string): string => join(dataDir, 'kernel.json');

/** @throws ERR_DATA_DIR_IN_USE. A file left by a kernel that was killed is replaced. */
export async function lockDataDir(dataDir: string, config: string | undefined): Promise<() => Promise<void>> {
  const other = await readRunFile(dataDir);
  if (other) throw dataDirInUse(dataDir, other.pid);
  const mine: RunFile = { pid: process.pid, started: processStart(process.pid) ?? '', config };
  await writeFile(runFile(dataDir), JSON.stringify(mine), { mode: 0o600 });
  return () => rm(runFile(dataDir), { force: true });
}

export async function noteSocket(dataDir: string, socket: string): Promise<void> {
  const run = JSON.parse(await readFile(runFile(dataDir), 'utf8')) as RunFile;
  await writeFile(runFile(dataDir), JSON.stringify({ ...run, socket }), { mode: 0o600 });
}

/** The kernel that runs on this directory, undefined when none does. */
export async function readRunFile(dataDir: string): Promise<RunFile | undefined> {
  let run: RunFile;
  try {
    run = JSON.parse(await readFile(runFile(dataDir), 'utf8')) as RunFile;
  } catch {
    return undefined;
  }
  const alive = processStart(run.pid);
  return alive !== undefined && (alive === run.started || run.started === '') ? run : undefined;
}

/** The start time field of /proc/<pid>/stat; '' for a live process where there is no /proc; undefined for a dead one. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    if (process.platform === 'linux') return undefined;
    try {
      process.kill(pid, 0);
      return '';
    } catch {
      return undefined;
    }
  }
}

/** Who this kernel is in leases: the same after a restart, so that it takes up its own leases at once. */
export function kernelIdentity(dataDir: string): string {
  const file = join(dataDir, 'identity');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const identity = `${hostname()}_${randomUUID()}`;
    writeFileSync(file, identity, { mode: 0o600 });
    return identity;
  }
}

import { readFileSync, statfsSync } from 'node:fs';
import { arch, availableParallelism, hostname, networkInterfaces, release, totalmem } from 'node:os';

/** What a Node object says of its machine. */
export interface Machine {
  hostname: string;
  architecture: string;
  operatingSystem: string;
  kernelVersion: string;
  osImage: string;
  machineID: string;
  systemUUID: string;
  bootID: string;
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export function inspectMachine(dir: string): Machine {
  return {
    hostname: hostname().toLowerCase(),
    architecture: ARCHITECTURES[arch()] ?? arch(),
    operatingSystem: process.platform === 'win32' ? 'windows' : process.platform,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(read('/etc/os-release'))?.[1] ?? process.platform,
    machineID: read('/etc/machine-id').trim(),
    systemUUID: read('/sys/class/dmi/id/product_uuid').trim().toLowerCase() || read('/etc/machine-id').trim(),
    bootID: read('/proc/sys/kernel/random/boot_id').trim(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: diskSize(dir),
  };
}

/** The first address that others can reach: not loopback, not link-local, not a bridge of ours. */
export function hostAddress(): string {
  const candidates = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(kubernel|cni|docker|veth|br-|virbr|flannel)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return (candidates.find(({ family }) => family === 'IPv4') ?? candidates[0])?.address ?? '127.0.0.1';
}

function diskSize(dir: string): number {
  try {
    const { blocks, bsize } = statfsSync(dir);
    return blocks * bsize;
  } catch {
    return 0;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

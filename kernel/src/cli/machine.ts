import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** One thing real containers need of the machine. */
export interface MachineCheck {
  name: string;
  /** Undefined: it is there. */
  problem?: string;
  /** What a person can do. */
  remedy?: string;
  /** The Debian package that brings it. */
  debian?: string;
  /** Without it standalone.yaml cannot run. */
  vital: boolean;
}

const CNI_DIRS = ['/usr/lib/cni', '/opt/cni/bin'];
const SBIN = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

/** Looks at everything that a real node needs. Changes nothing. */
export async function examine(): Promise<MachineCheck[]> {
  const linux = process.platform === 'linux';
  return [
    {
      name: 'Linux',
      vital: true,
      ...(linux ? {} : { problem: `this is ${process.platform}`, remedy: 'use config/dev.yaml, or a Linux machine or virtual machine' }),
    },
    {
      name: 'root',
      vital: true,
      ...(process.getuid?.() === 0
        ? {}
        : { problem: 'not root: mounts, network namespaces and cgroups need it', remedy: 'run as root, or use config/dev.yaml' }),
    },
    await binary('containerd', 'containerd'),
    await binary('runc', 'runc'),
    await binary('iptables', 'iptables'),
    await binary('ip', 'iproute2'),
    await cniPlugins(),
    await cgroups(),
    await forwarding(),
    await bridgeFilter(),
  ];
}

export function lacking(checks: readonly MachineCheck[]): MachineCheck[] {
  return checks.filter((check) => check.vital && check.problem !== undefined);
}

async function binary(name: string, debian: string): Promise<MachineCheck> {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), ...SBIN];
  if (await firstExisting(dirs.map((dir) => join(dir, name)))) return { name, vital: true };
  return { name, vital: true, problem: 'not installed', remedy: `apt-get install ${debian}`, debian };
}

async function cniPlugins(): Promise<MachineCheck> {
  const name = 'CNI plugins';
  if (await firstExisting(CNI_DIRS.map((dir) => join(dir, 'bridge')))) return { name, vital: true };
  return {
    name,
    vital: true,
    problem: `no bridge plugin in ${CNI_DIRS.join(' or ')}`,
    remedy: 'apt-get install containernetworking-plugins',
    debian: 'containernetworking-plugins',
  };
}

async function cgroups(): Promise<MachineCheck> {
  const name = 'cgroups';
  const found = (await firstExisting(['/sys/fs/cgroup/cgroup.controllers', '/sys/fs/cgroup/memory'])) !== undefined;
  return found
    ? { name, vital: true }
    : {
        name,
        vital: true,
        problem: 'no memory controller under /sys/fs/cgroup',
        remedy: 'mount cgroups: mount -t cgroup2 none /sys/fs/cgroup',
      };
}

/** The kubelet plugin turns it on where it may; a read-only /proc/sys must be set from outside. */
async function forwarding(): Promise<MachineCheck> {
  const name = 'IP forwarding';
  const value = await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8').catch(() => '');
  const writable = await access('/proc/sys/net/ipv4/ip_forward', constants.W_OK).then(
    () => true,
    () => false,
  );
  if (value.trim() === '1' || writable) return { name, vital: false };
  return { name, vital: false, problem: 'off, and not to be changed from here', remedy: 'sysctl net.ipv4.ip_forward=1' };
}

async function bridgeFilter(): Promise<MachineCheck> {
  const name = 'bridge netfilter';
  const value = await readFile('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').catch(() => undefined);
  if (value !== undefined) return { name, vital: false };
  return {
    name,
    vital: false,
    problem: 'br_netfilter is not loaded: service addresses may not work between pods of one node',
    remedy: 'modprobe br_netfilter',
  };
}

async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

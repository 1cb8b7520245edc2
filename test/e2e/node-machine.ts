import { existsSync } from 'node:fs';

/** Why a real node cannot run here, or undefined: tests of it are skipped by that name. */
export function realNodeMissing(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const dirs = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin', '/usr/bin');
  for (const binary of ['containerd', 'runc', 'iptables', 'ip']) {
    if (!dirs.some((dir) => existsSync(`${dir}/${binary}`))) return `needs ${binary}`;
  }
  if (!['/opt/cni/bin', '/usr/lib/cni'].some((dir) => existsSync(`${dir}/bridge`))) return 'needs containernetworking-plugins';
  return undefined;
}

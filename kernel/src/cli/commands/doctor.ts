import { spawnSync } from 'node:child_process';
import { KubernelError } from '@kubernel/sdk';
import { examine, lacking } from '../machine.ts';
import { EXIT, type OutputFormat, print, printJson } from '../output.ts';

export async function doctor({ install, output }: { install?: boolean; output: OutputFormat }): Promise<void> {
  let checks = await examine();
  const packages = [...new Set(checks.filter((check) => check.problem).flatMap((check) => check.debian ?? []))];
  if (install && packages.length > 0) {
    installDebian(packages);
    checks = await examine();
  }
  const missing = lacking(checks);
  if (missing.length > 0) process.exitCode = EXIT.unhealthy;
  if (output === 'json') return printJson({ canRunContainers: missing.length === 0, checks });
  for (const check of checks) {
    print(
      `${check.problem === undefined ? 'ok     ' : check.vital ? 'MISSING' : 'note   '}  ${check.name}${check.problem ? `: ${check.problem}` : ''}`,
    );
    if (check.problem && check.remedy) print(`           ${check.remedy}`);
  }
  print(
    missing.length === 0
      ? '\nReal containers can run here (config/standalone.yaml).'
      : '\nReal containers cannot run here; config/dev.yaml (simulated nodes) can.',
  );
  if (packages.length > 0 && !install) print(`\`kubernel doctor --install\` installs: ${packages.join(' ')}`);
}

/** Says what it installs; needs root and apt. */
export function installDebian(packages: readonly string[]): void {
  if (process.getuid?.() !== 0)
    throw new KubernelError('ERR_NOT_ROOT', 'only root can install packages', { hint: `sudo apt-get install ${packages.join(' ')}` });
  print(`Installing Debian packages: ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0)
      throw new KubernelError('ERR_INSTALL_FAILED', `apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`, {
        hint: `install by hand: ${packages.join(' ')}`,
      });
  }
}

import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubernelError, type PluginManifest, pluginId } from '@kubernel/sdk';

/** An installed package with a manifest. */
export interface PluginPackage {
  name: string;
  version: string;
  dir: string;
  manifest: PluginManifest;
  /** One of Kubernel's own: its manifest's permissions are granted unless the config says otherwise. */
  own: boolean;
}

/**
 * Kubernel's own plugin packages: those in `plugins/<role>/<name>` of a checkout. The manifests are read, no plugin code runs.
 */
export async function ownPackages(root = repositoryRoot()): Promise<PluginPackage[]> {
  const base = join(root, 'plugins');
  const roles = await readdir(base, { withFileTypes: true }).catch(() => []);
  const dirs = (
    await Promise.all(
      roles
        .filter((role) => role.isDirectory())
        .map(async (role) => (await readdir(join(base, role.name))).map((name) => join(base, role.name, name))),
    )
  ).flat();
  const found = await Promise.all(dirs.map((dir) => readPackage(dir, true).catch(() => undefined)));
  return found.filter((entry) => entry !== undefined);
}

/** A stranger's package, resolved like an import from the config file's folder. */
export async function packageByName(name: string, from: string): Promise<PluginPackage> {
  let dir: string;
  try {
    if (name.startsWith('.') || name.startsWith('/')) dir = join(name.startsWith('/') ? '' : from, name);
    else dir = dirname(createRequire(join(from, 'config.yaml')).resolve(`${name}/package.json`));
  } catch (error) {
    throw new KubernelError('ERR_PLUGIN_NOT_FOUND', `package ${name} is not installed next to the config file`, {
      subject: name,
      hint: `run: npm install ${name}`,
      cause: error,
    });
  }
  return readPackage(dir, false);
}

async function readPackage(dir: string, own: boolean): Promise<PluginPackage> {
  const text = await readFile(join(dir, 'package.json'), 'utf8');
  const { name, version, kubernel } = JSON.parse(text) as { name: string; version: string; kubernel?: PluginManifest };
  if (!kubernel)
    throw new KubernelError('ERR_NOT_A_PLUGIN', `package ${name} has no "kubernel" manifest in its package.json`, { subject: name });
  checkManifest(name, kubernel);
  return { name, version, dir, manifest: kubernel, own };
}

function checkManifest(name: string, manifest: PluginManifest): void {
  const problems: string[] = [];
  if (typeof manifest.entry !== 'string') problems.push('entry must be a path');
  if (typeof manifest.kernel !== 'string') problems.push('kernel must be a semver range');
  if (!Array.isArray(manifest.provides) || manifest.provides.length === 0) problems.push('provides must list what the package provides');
  for (const provision of manifest.provides ?? []) {
    if (!/^[a-z][a-z0-9-]*\/v[0-9]+[a-z0-9]*$/.test(provision.role ?? ''))
      problems.push(`provides: ${JSON.stringify(provision.role)} is not a role such as "storage/v1"`);
    else if (!/^[a-z0-9][a-z0-9.-]*$/.test(provision.name ?? ''))
      problems.push(`provides: ${pluginId(provision.role, String(provision.name))} is not a name`);
  }
  if (problems.length > 0)
    throw new KubernelError('ERR_MANIFEST_INVALID', `manifest of ${name}: ${problems.join('; ')}`, { subject: name });
}

/** The checkout this kernel was built in: `<root>/kernel/dist/host/catalog.js`. */
export function repositoryRoot(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
}

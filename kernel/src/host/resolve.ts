import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type IsolateKind,
  KubernelError,
  type PermissionRule,
  type PluginLimits,
  pluginId,
  type Requirement,
  ROLES,
  type RoleName,
} from '@kubernel/sdk';
import satisfies from 'semver/functions/satisfies.js';
import validRange from 'semver/ranges/valid.js';
import type { ClusterConfig, PluginConfig } from '../config/cluster-config.ts';
import { pluginNotFound, pluginVersion } from '../errors.ts';
import { type PluginPackage, packageByName } from './catalog.ts';

/** The kernel API that manifests name in their `kernel` range. */
export const KERNEL_API = '1.0.0';

/** Roles the kernel itself serves. */
export const KERNEL_ROLES: readonly string[] = ['store/v1', 'host/v1'];

/** A plugin of the config, joined with its package: all the host needs to know to run it. */
export interface PluginSpec {
  id: string;
  role: RoleName;
  name: string;
  package: string;
  version: string;
  /** file: URL of the module to import. */
  entry: string;
  config: Record<string, unknown>;
  requires: Requirement[];
  permissions: PermissionRule[];
  /** Name of the isolate it lives in; an extension's is its host's. */
  isolate: string;
  isolateKind: IsolateKind;
  heapMb: number | undefined;
  limits: Required<Omit<PluginLimits, 'heapMb'>>;
  elected: boolean;
  /** The plugin that calls this extension. */
  hostId: string | undefined;
  /** Position in the config: extensions are called in this order. */
  order: number;
}

const DEFAULT_LIMITS = { startMs: 30_000, callMs: 30_000, drainMs: 10_000 };

/**
 * Finds each configured plugin's package, checks versions, config and requirements.
 * @throws one KubernelError that lists every problem.
 */
export async function resolvePlugins(config: ClusterConfig, own: readonly PluginPackage[], configDir: string): Promise<PluginSpec[]> {
  const problems: KubernelError[] = [];
  const enabled = Object.entries(config.plugins).filter(([, plugin]) => plugin.enabled);
  const specs = (
    await Promise.all(
      enabled.map(async ([id, plugin], order) => {
        try {
          return await resolveOne(id, plugin, order, config, own, configDir);
        } catch (error) {
          problems.push(error as KubernelError);
          return undefined;
        }
      }),
    )
  ).filter((spec) => spec !== undefined);
  // What a missing plugin would have provided is missed by others: those follow-up problems would only bury the cause.
  if (problems.length === 0) placeExtensions(specs, problems);
  if (problems.length === 0) checkRequirements(specs, problems);
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) {
    throw new KubernelError('ERR_PLUGINS_UNRESOLVED', problems.map((problem) => problem.message).join('\n'), {
      subject: problems[0]?.subject ?? '',
      hint: problems[0]?.hint ?? '',
    });
  }
  return specs;
}

async function resolveOne(
  id: string,
  plugin: PluginConfig,
  order: number,
  config: ClusterConfig,
  own: readonly PluginPackage[],
  configDir: string,
): Promise<PluginSpec> {
  const candidates = plugin.package ? [await packageByName(plugin.package, configDir)] : own;
  const found = candidates.flatMap((entry) =>
    entry.manifest.provides.filter((one) => pluginId(one.role, one.name) === id).map((provision) => ({ entry, provision })),
  )[0];
  if (!found) {
    const near = candidates
      .flatMap((entry) => entry.manifest.provides.map((one) => pluginId(one.role, one.name)))
      .filter((other) => other.split('/')[0] === id.split('/')[0]);
    throw pluginNotFound(
      id,
      near.length > 0 ? `there are: ${near.sort().join(', ')}` : 'for a plugin of your own, name its npm package with `package:`',
    );
  }
  const { entry, provision } = found;
  const { manifest } = entry;
  if (!validRange(plugin.version))
    throw new KubernelError('ERR_CONFIG_INVALID', `${id}: ${JSON.stringify(plugin.version)} is not a semver range`, { subject: id });
  if (!satisfies(entry.version, plugin.version)) throw pluginVersion(id, entry.version, plugin.version);
  if (!satisfies(KERNEL_API, manifest.kernel)) {
    throw new KubernelError(
      'ERR_KERNEL_VERSION',
      `${id} (${entry.name} ${entry.version}) needs kernel API ${manifest.kernel}, this is ${KERNEL_API}`,
      { subject: id },
    );
  }
  if (!(provision.role in ROLES)) {
    throw new KubernelError('ERR_UNKNOWN_ROLE', `${id}: this kernel has no role ${provision.role}`, {
      subject: id,
      hint: `it has: ${Object.keys(ROLES).join(', ')}`,
    });
  }
  await checkPluginConfig(id, plugin.config, entry, provision.config ?? manifest.config);
  const { isolate, isolateKind, heapMb } = placement(id, plugin, manifest.isolate ?? 'thread', manifest.limits?.heapMb, config);
  return {
    id,
    role: provision.role as RoleName,
    name: provision.name,
    package: entry.name,
    version: entry.version,
    entry: pathToFileURL(join(entry.dir, manifest.entry)).href,
    config: plugin.config,
    requires: [...(manifest.requires ?? []), ...(provision.requires ?? [])],
    permissions: plugin.permissions ?? (entry.own ? [...(manifest.permissions ?? []), ...(provision.permissions ?? [])] : []),
    isolate,
    isolateKind,
    heapMb,
    limits: { ...DEFAULT_LIMITS, ...manifest.limits },
    elected: provision.elected ?? false,
    hostId: undefined,
    order,
  };
}

function placement(id: string, plugin: PluginConfig, wanted: IsolateKind, heapMb: number | undefined, config: ClusterConfig) {
  const name = plugin.isolate ?? wanted;
  if (name === 'thread' || name === 'inline' || name === 'process')
    return { isolate: name === 'inline' ? 'inline' : id, isolateKind: name, heapMb } as const;
  const shared = config.isolates[name];
  if (!shared) {
    const known = ['thread', 'inline', 'process', ...Object.keys(config.isolates)];
    throw new KubernelError('ERR_CONFIG_INVALID', `${id}: there is no isolate ${JSON.stringify(name)}`, {
      subject: id,
      hint: `there are: ${known.join(', ')}`,
    });
  }
  return { isolate: shared.kind === 'inline' ? 'inline' : name, isolateKind: shared.kind, heapMb: shared.heapMb } as const;
}

async function checkPluginConfig(
  id: string,
  given: Record<string, unknown>,
  entry: PluginPackage,
  schemaFile: string | undefined,
): Promise<void> {
  if (Object.keys(given).length === 0) return;
  if (!schemaFile) throw new KubernelError('ERR_CONFIG_INVALID', `${id} takes no config`, { subject: id });
  const schema = JSON.parse(await readFile(join(entry.dir, schemaFile), 'utf8')) as object;
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  // Compiling the schema of schemas to check our own would take longer than all the rest.
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, validateSchema: !entry.own, meta: !entry.own });
  const validate = ajv.compile(schema);
  if (validate(given)) return;
  const wrong = (validate.errors ?? []).map(
    (error) =>
      `config${error.instancePath.replaceAll('/', '.')} ${error.message}${error.keyword === 'additionalProperties' ? ` (${String(error.params['additionalProperty'])})` : ''}`,
  );
  throw new KubernelError('ERR_CONFIG_INVALID', `${id}: ${wrong.join('; ')}`, { subject: id, hint: `see the README of ${entry.name}` });
}

/** An extension lives where its host lives, since it is called as a plain function. */
function placeExtensions(specs: PluginSpec[], problems: KubernelError[]): void {
  for (const spec of specs) {
    const description = ROLES[spec.role];
    if (description.kind !== 'extension') continue;
    const host = specs.find((other) => other.role === description.host);
    if (!host) {
      problems.push(
        new KubernelError('ERR_ROLE_MISSING', `${spec.id} extends ${description.host}, and no plugin of the config provides that`, {
          subject: spec.id,
          hint: `add a plugin with the role ${description.host}`,
        }),
      );
      continue;
    }
    spec.hostId = host.id;
    spec.isolate = host.isolate;
    spec.isolateKind = host.isolateKind;
    spec.heapMb = host.heapMb;
  }
}

function checkRequirements(specs: readonly PluginSpec[], problems: KubernelError[]): void {
  const provided = new Set<string>([...specs.map((spec) => spec.role), ...KERNEL_ROLES]);
  for (const spec of specs) {
    for (const requirement of spec.requires) {
      if (requirement.optional || provided.has(requirement.role)) continue;
      problems.push(
        new KubernelError('ERR_ROLE_MISSING', `${spec.id} requires the role ${requirement.role}, and no plugin of the config provides it`, {
          subject: spec.id,
          hint: `add a plugin with the role ${requirement.role}`,
        }),
      );
    }
  }
  if (!specs.some((spec) => spec.role === 'storage/v1')) {
    problems.push(
      new KubernelError('ERR_ROLE_MISSING', 'the config names no storage', { hint: 'add `storage/sqlite: {}` or `storage/memory: {}`' }),
    );
  }
  const storages = specs.filter((spec) => spec.role === 'storage/v1');
  if (storages.length > 1) {
    problems.push(
      new KubernelError('ERR_ROLE_TWICE', `the config names several storages: ${storages.map((spec) => spec.id).join(', ')}`, {
        hint: 'keep one, or set `enabled: false`',
      }),
    );
  }
}

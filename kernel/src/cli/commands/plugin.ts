import { pluginId, ROLES, type RoleName } from '@kubernel/sdk';
import { ownPackages } from '../../host/catalog.ts';
import { type OutputFormat, print, printJson, table } from '../output.ts';

export async function pluginLs({ output }: { output: OutputFormat }): Promise<void> {
  const found = (await ownPackages()).flatMap(({ name, version, manifest }) =>
    manifest.provides.map((provision) => ({
      id: pluginId(provision.role, provision.name),
      role: provision.role,
      kind: ROLES[provision.role as RoleName]?.kind ?? 'unknown',
      package: name,
      version,
    })),
  );
  found.sort((a, b) => (a.id < b.id ? -1 : 1));
  if (output === 'json') return printJson(found);
  print(
    table(
      ['PLUGIN', 'ROLE', 'KIND', 'PACKAGE', 'VERSION'],
      found.map((one) => [one.id, one.role, one.kind, one.package, one.version]),
    ),
  );
}

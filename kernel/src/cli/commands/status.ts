import { resolve } from 'node:path';
import { control } from '../../control/client.ts';
import type { StatusDocument } from '../../control/server.ts';
import { duration, EXIT, type OutputFormat, print, printJson, size, table } from '../output.ts';

export async function status({ dataDir, output }: { dataDir: string; output: OutputFormat }): Promise<void> {
  const document = await control<StatusDocument>(resolve(dataDir), 'GET', '/status');
  const unwell = document.plugins.filter((plugin) => !['Running', 'Standby'].includes(plugin.state));
  if (unwell.length > 0) process.exitCode = EXIT.unhealthy;
  if (output === 'json') return printJson(document);
  const { store } = document;
  print(`Cluster ${document.name}  (kubernel ${document.version}, pid ${document.pid}, up ${duration(document.uptimeSeconds * 1000)})`);
  print(`Config  ${document.config ?? '(embedded)'}`);
  print(`Data    ${document.dataDir}`);
  print(
    'error' in store
      ? `Store   ${store.error}`
      : `Store   revision ${store.revision}, ${store.keys} objects, ${size(store.sizeBytes)}${store.full ? ', FULL' : ''}`,
  );
  print('');
  const now = Date.now();
  const rows = document.plugins.map((plugin) => [
    plugin.id,
    simulated(plugin.id) ? `${plugin.state} (simulated)` : plugin.state,
    plugin.version,
    plugin.isolateKind === 'inline' ? 'inline' : `${plugin.isolateKind} ${plugin.isolate}`,
    duration(now - plugin.since),
    String(plugin.restarts),
    plugin.heapBytes ? size(plugin.heapBytes) : '',
    plugin.heapBytes ? `${(plugin.cpu * 100).toFixed(1)}%` : '',
  ]);
  print(table(['PLUGIN', 'STATE', 'VERSION', 'ISOLATE', 'FOR', 'RESTARTS', 'HEAP', 'CPU'], rows));
  for (const plugin of unwell) print(`\n${plugin.id} is ${plugin.state}: ${plugin.reason ?? 'no reason given'}`);
  print(unwell.length === 0 ? '\nEverything runs.' : `\n${unwell.length} of ${document.plugins.length} plugins do not run.`);
}

/** Simulated parts say so by name. */
function simulated(id: string): boolean {
  return id.split('/')[1] === 'sim' || id.endsWith('-sim');
}

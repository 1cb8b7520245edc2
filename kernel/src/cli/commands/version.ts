import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../../host/catalog.ts';
import { KERNEL_API } from '../../host/resolve.ts';
import { type OutputFormat, print, printJson } from '../output.ts';

export async function kubernelVersion(): Promise<string> {
  const text = await readFile(join(repositoryRoot(), 'kernel', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export async function version({ output }: { output: OutputFormat }): Promise<void> {
  const about = { kubernel: await kubernelVersion(), kernelApi: KERNEL_API, kubernetes: 'v1.36', node: process.version };
  if (output === 'json') printJson(about);
  else print(`kubernel ${about.kubernel} (kernel API ${about.kernelApi}, Kubernetes API ${about.kubernetes}, node ${about.node})`);
}

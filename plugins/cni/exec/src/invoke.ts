import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { CniAttachment, CniResult } from '@kubernel/sdk';
import type { NetworkConfig } from './conflist.ts';
import { cniFailed } from './errors.ts';

type Result = Record<string, unknown> & { ips?: { address: string }[] };

/** CNI ADD: each plugin of the list gets the result of the one before (SPEC.md, section 3). A failure undoes what was done. */
export async function add(list: NetworkConfig, binDir: string, request: CniAttachment): Promise<CniResult> {
  let result: Result | undefined;
  try {
    for (const plugin of list.plugins) result = await invoke('ADD', list, plugin, binDir, request, result);
  } catch (error) {
    await del(list, binDir, request).catch(() => {});
    throw error;
  }
  return { ips: (result?.ips ?? []).map(({ address }) => address.split('/')[0]!), raw: result ?? {} };
}

/** CNI DEL, in reverse order. Idempotent, as the specification asks of plugins. */
export async function del(list: NetworkConfig, binDir: string, request: CniAttachment): Promise<void> {
  for (const plugin of list.plugins.toReversed()) await invoke('DEL', list, plugin, binDir, request, undefined);
}

async function invoke(
  command: 'ADD' | 'DEL',
  list: NetworkConfig,
  { capabilities, ...plugin }: NetworkConfig['plugins'][number],
  binDir: string,
  request: CniAttachment,
  prevResult: Result | undefined,
): Promise<Result | undefined> {
  const runtimeConfig =
    (capabilities as { portMappings?: boolean } | undefined)?.portMappings && request.portMappings?.length
      ? { runtimeConfig: { portMappings: request.portMappings } }
      : {};
  const input = { cniVersion: list.cniVersion, name: list.name, ...plugin, ...runtimeConfig, ...(prevResult ? { prevResult } : {}) };
  const args = Object.entries({ IgnoreUnknown: '1', ...request.args });
  const child = spawn(join(binDir, plugin.type), {
    stdio: 'pipe',
    env: {
      PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
      CNI_COMMAND: command,
      CNI_CONTAINERID: request.containerId,
      CNI_NETNS: request.netns,
      CNI_IFNAME: request.ifName ?? 'eth0',
      CNI_PATH: binDir,
      CNI_ARGS: args.map(([key, value]) => `${key}=${value}`).join(';'),
    },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(input));
  const output: { stdout: string; stderr: string } = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(cniFailed(plugin.type, command, error.message)));
    child.on('close', resolve);
  });
  if (code !== 0) throw cniFailed(plugin.type, command, reason(output));
  return command === 'ADD' ? (JSON.parse(output.stdout) as Result) : undefined;
}

/** A plugin says what went wrong on its standard output, as JSON. */
function reason({ stdout, stderr }: { stdout: string; stderr: string }): string {
  try {
    const { msg, details } = JSON.parse(stdout) as { msg?: string; details?: string };
    return [msg, details].filter(Boolean).join(': ');
  } catch {
    return stderr.trim() || stdout.trim() || 'it failed without a word';
  }
}

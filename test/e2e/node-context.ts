import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LogFields, Logger, PluginContext, PluginDefinition, RoleName, Roles } from '@kubernel/sdk';
import type { Client } from '@kubernel/sdk/client';

export interface StartedPlugin<R extends RoleName> {
  instance: Roles[R];
  /** As the host does it: the stop hook, then everything deferred, in reverse. */
  stop(): Promise<void>;
}

export interface FakeHost {
  dataDir: string;
  client?: Client;
  roles?: Partial<Roles>;
  /** Every log line of warn and error is kept. */
  complaints?: string[];
}

/** Starts one plugin without a kernel: what the host would give it, and no more. */
export async function startPlugin<R extends RoleName, C>(
  definition: PluginDefinition<R, C>,
  config: NoInfer<C>,
  host: FakeHost,
): Promise<StartedPlugin<R>> {
  const id = `${definition.role.split('/')[0]}/${definition.name}`;
  const pluginDir = join(host.dataDir, 'plugins', id);
  mkdirSync(pluginDir, { recursive: true, mode: 0o700 });
  const deferred: (() => unknown)[] = [];
  const abort = new AbortController();
  const undo = async (): Promise<void> => {
    abort.abort();
    for (const dispose of deferred.splice(0).reverse()) await dispose();
  };
  const context = {
    id,
    config,
    signal: abort.signal,
    log: logger(id, host.complaints),
    metrics: { counter: () => ({ inc() {} }), gauge: () => ({ set() {} }), histogram: () => ({ observe() {} }) },
    cluster: {
      name: 'test',
      clusterDomain: 'cluster.local',
      serviceCIDRs: ['10.96.0.0/16'],
      podCIDRs: ['10.244.0.0/16'],
      clusterDNS: ['10.96.0.10'],
      nodePortRange: [30000, 32767],
    },
    dataDir: host.dataDir,
    pluginDir,
    client: () => host.client!,
    use: (role: RoleName) => {
      const found = host.roles?.[role];
      if (!found) throw new Error(`no provider of ${role}`);
      return found;
    },
    extensions: () => [],
    defer: (dispose: () => unknown) => void deferred.push(dispose),
    report: () => {},
  } as unknown as PluginContext<C>;
  try {
    const instance = (await definition.hooks.start(context)) as Roles[R];
    return {
      instance,
      async stop() {
        await definition.hooks.stop?.(AbortSignal.timeout(10_000));
        await undo();
      },
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

function logger(id: string, complaints: string[] = []): Logger {
  const line = (level: string, keep: boolean) => (message: string, fields?: LogFields) => {
    const text = `${id} ${level} ${message} ${fields ? JSON.stringify(fields) : ''}`;
    if (keep) complaints.push(text);
    if (process.env.KUBERNEL_TEST_LOG) console.error(text);
  };
  return { debug: line('debug', false), info: line('info', false), warn: line('warn', true), error: line('error', true) };
}

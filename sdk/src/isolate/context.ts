import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '../client/index.ts';
import type { Extensions, Logger, PluginContext, RoleName, Roles } from '../index.ts';
import { KubernelError, ROLES } from '../index.ts';
import { Channel, type Port, remote } from '../rpc/index.ts';
import type { IsolateMetrics } from './metrics.ts';
import type { HostControl, LoadRequest } from './protocol.ts';
import { redact } from './redact.ts';

export interface ContextParts {
  plugin: LoadRequest;
  host: HostControl;
  metrics: IsolateMetrics;
  signal: AbortSignal;
  extensions(role: RoleName): Extensions<unknown>;
  defer(dispose: () => unknown): void;
}

/** The world as one plugin sees it. */
export function createContext({ plugin, host, metrics, signal, extensions, defer }: ContextParts): PluginContext {
  const { id, limits } = plugin;
  const services = new Map<string, unknown>();
  let client: Client | undefined;
  let dirMade = false;

  const use = <R extends RoleName>(role: R, name?: string): Roles[R] => {
    const description = ROLES[role];
    if (description.kind === 'extension') {
      throw new KubernelError('ERR_NOT_A_SERVICE', `${role} is an extension of ${description.host}: reach it with ctx.extensions()`, {
        subject: id,
      });
    }
    const key = `${role} ${name ?? ''}`;
    let service = services.get(key);
    if (!service) {
      const connect = async (): Promise<Channel> => {
        const channel = new Channel((await host.connect(id, role, name)) as Port);
        defer(() => channel.close());
        return channel;
      };
      service = remote(role, description.streams, connect, limits.callMs);
      services.set(key, service);
    }
    return service as Roles[R];
  };

  return {
    id,
    config: plugin.config,
    signal,
    log: logger(id, host),
    metrics: metrics.factory(),
    cluster: plugin.cluster,
    dataDir: plugin.dataDir,
    get pluginDir() {
      const dir = join(plugin.dataDir, 'plugins', ...id.split('/'));
      if (!dirMade) mkdirSync(dir, { recursive: true, mode: 0o700 });
      dirMade = true;
      return dir;
    },
    client() {
      client ??= createClient(use('apiserver/v1'));
      return client;
    },
    use,
    extensions: <R extends RoleName>(role: R) => extensions(role) as Extensions<Roles[R]>,
    defer,
    report: (state, reason) => host.report(id, state, reason),
  };
}

function logger(id: string, host: HostControl): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error'): Logger['info'] =>
    (message, fields) =>
      host.log(level, id, message, fields && redact(fields));
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

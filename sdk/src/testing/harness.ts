import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { KubernelError } from '../errors.ts';
import { type HostControl, IsolateRuntime, type IsolateService } from '../isolate/index.ts';
import { pluginId } from '../manifest.ts';
import type { ClusterSettings } from '../roles/api.ts';
import { ROLES, type RoleName, type Roles } from '../roles/index.ts';
import { Channel, type Port, remote, transferring } from '../rpc/index.ts';

export interface HarnessOptions<R extends RoleName> {
  /** The plugin's entry module, as its manifest names it: an absolute path or a file: URL. */
  entry: string | URL;
  role: R;
  name: string;
  config?: Record<string, unknown>;
  /** What the plugin finds with `ctx.use(role)`: real services or fakes, reached over the real RPC. */
  services?: { [S in RoleName]?: object };
  cluster?: Partial<ClusterSettings>;
  /** Default: a new temporary directory, removed on stop. */
  dataDir?: string;
}

export interface RunningPlugin<R extends RoleName> {
  /** The plugin's contract as a consumer sees it: through a MessagePort. Not for extensions, which have no RPC. */
  readonly service: Roles[R];
  /** `[level, message]` of each log line so far. */
  readonly logs: [level: string, message: string][];
  /** What the plugin reported about itself with `ctx.report`. */
  readonly reports: [state: string, reason: string][];
  readonly isolate: IsolateService;
  /** Another run of start, as after a crash: with the same data directory. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const CLUSTER: ClusterSettings = {
  name: 'test',
  clusterDomain: 'cluster.local',
  serviceCIDRs: ['10.96.0.0/16'],
  podCIDRs: ['10.244.0.0/16'],
  clusterDNS: ['10.96.0.10'],
  nodePortRange: [30000, 32767],
};
const CONSUMER = {
  id: 'test/harness',
  user: { name: 'system:plugin:test/harness', groups: ['system:masters', 'system:plugins', 'system:authenticated'] },
  rules: [],
};

/**
 * Runs one plugin as the host would, in this thread: its module imported, its context real, its services and consumers
 * behind MessagePorts.
 *
 * @example
 * const plugin = await runPlugin({ entry: resolve('dist/index.js'), role: 'storage/v1', name: 'mine' });
 * await plugin.service.commit({ keys: ['a'], values: ['1'], expects: [EXPECT_ANY] });
 * await plugin.stop();
 */
export async function runPlugin<R extends RoleName>(options: HarnessOptions<R>): Promise<RunningPlugin<R>> {
  const { role, name } = options;
  const id = pluginId(role, name);
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kubernel-plugin-')));
  const logs: [string, string][] = [];
  const reports: [string, string][] = [];
  const channels: Channel[] = [];

  const { port1, port2 } = new MessageChannel();
  const control = new Channel(port1 as unknown as Port);
  channels.push(control, new Channel(port2 as unknown as Port));
  new IsolateRuntime(channels[1] as Channel);
  control.serve('host', {
    connect: async (_from, wanted) => {
      const service = options.services?.[wanted];
      if (!service)
        throw new KubernelError('ERR_ROLE_UNAVAILABLE', `this test gives no ${wanted}`, { subject: wanted, hint: 'add it to `services`' });
      const ends = new MessageChannel();
      const channel = new Channel(ends.port1 as unknown as Port);
      channel.serve(wanted, service);
      channels.push(channel);
      return transferring(ends.port2, [ends.port2]) as never;
    },
    log: (level, _id, message) => void logs.push([level, message]),
    report: (_id, state, reason) => void reports.push([state, reason]),
  } satisfies HostControl);

  const isolate = remote<IsolateService>('isolate', [], async () => control);
  const start = async (): Promise<void> => {
    await isolate.load({
      id,
      role,
      name,
      entry:
        options.entry instanceof URL
          ? options.entry.href
          : options.entry.startsWith('file:')
            ? options.entry
            : pathToFileURL(options.entry).href,
      config: options.config ?? {},
      cluster: { ...CLUSTER, ...options.cluster },
      dataDir,
      limits: { startMs: 30_000, callMs: 30_000, drainMs: 5_000 },
      order: 0,
    });
    await isolate.start(id);
  };
  const close = async (): Promise<void> => {
    for (const channel of channels) channel.close();
    if (!options.dataDir) await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }

  const service = remote<Roles[R]>(role, ROLES[role].streams, async () => {
    if (ROLES[role].kind === 'extension')
      throw new KubernelError(
        'ERR_NOT_A_SERVICE',
        `${role} is an extension: its host calls it as a function, so test what start() returns`,
      );
    const ends = new MessageChannel();
    await control.call('isolate', 'accept', [id, CONSUMER, ends.port2], { transfer: [ends.port2] });
    const channel = new Channel(ends.port1 as unknown as Port);
    channels.push(channel);
    return channel;
  });
  return {
    service,
    logs,
    reports,
    isolate,
    restart: async () => {
      await isolate.stop(id, 5_000);
      await start();
    },
    stop: async () => {
      await isolate.stop(id, 5_000);
      await close();
    },
  };
}

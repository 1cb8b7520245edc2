import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type {
  ApiRequest,
  ApiResponse,
  ApiService,
  Consumer,
  CriRuntime,
  Kubelet,
  PluginStatus,
  RoleName,
  Storage,
  StorageStats,
} from '@kubernel/sdk';
import { type Client, createClient } from '@kubernel/sdk/client';
import { type ClusterConfig, type ClusterDocument, withDefaults } from './config/cluster-config.ts';
import { compose } from './container.ts';
import { lockDataDir } from './data-dir.ts';
import { EventReporter } from './events.ts';
import { ownPackages, type PluginPackage } from './host/catalog.ts';
import type { AppliedChange, PluginHost } from './host/host.ts';
import type { LogSink } from './host/host-control.ts';
import { resolvePlugins } from './host/resolve.ts';

export interface KernelOptions {
  /** A file, which is watched for changes, or the document itself. */
  config: string | ClusterDocument;
  /** Holds everything the cluster keeps. Created with mode 0700. */
  dataDir: string;
  log?: LogSink;
  /** Changes what the file says, at the start and after each edit: what a command line overrides. */
  amend?(config: ClusterConfig): ClusterConfig;
  /** Told after each edit of the config file: what was done, or why it was refused. */
  onConfig?(outcome: { changes: AppliedChange[] } | { refused: Error }): void;
  onPlugin?(status: PluginStatus): void;
  /** Plugin packages to choose from besides Kubernel's own: a test's, an embedder's. */
  packages?: PluginPackage[];
}

/** A running kernel. */
export interface Kernel {
  readonly name: string;
  readonly dataDir: string;
  /** Resolves when every plugin runs or has failed to. `start` resolved as soon as the API serves. */
  settled(): Promise<PluginStatus[]>;
  plugins(): PluginStatus[];
  /** The API with all rights (`system:masters`), without a socket. */
  client(): Client;
  /** The API as a fetch-like function: GET, POST, … of a path, without a socket. */
  request(request: ApiRequest): Promise<ApiResponse>;
  /** A service of a role, as the kernel itself. */
  use<T extends object>(role: RoleName): T;
  stats(): Promise<StorageStats>;
  /** Applies another config; what cannot be resolved is refused and changes nothing. */
  apply(document: ClusterDocument): Promise<AppliedChange[]>;
  backup(file: string): Promise<void>;
  /** `pods`: also ends the containers and their runtime, which otherwise go on and are adopted at the next start. */
  stop(options?: { pods?: boolean }): Promise<void>;
}

const MASTER: Consumer = { id: 'kernel', user: { name: 'system:kernel', groups: ['system:masters', 'system:authenticated'] }, rules: [] };
const quiet: LogSink = { log() {} };

/**
 * Starts a cluster in this process. Resolves when the API serves (or, in a composition without an API server, when the
 * storage does); rejects with a KubernelError when the config cannot be run, and then nothing is left behind.
 *
 * @example
 * await using kernel = await createKernel({ config: 'config/embedded.yaml', dataDir: '/tmp/k' });
 */
export async function createKernel(options: KernelOptions): Promise<Kernel & AsyncDisposable> {
  const dataDir = resolve(options.dataDir);
  const file = typeof options.config === 'string' ? resolve(options.config) : undefined;
  const configDir = file ? dirname(file) : process.cwd();
  const amend = options.amend ?? ((given: ClusterConfig) => given);
  // YAML and chokidar are for files: an embedder who brings a document does not wait for them to load.
  const config = amend(
    typeof options.config === 'string' ? await (await import('./config/load.ts')).loadConfig(options.config) : withDefaults(options.config),
  );
  const packages = [...(options.packages ?? []), ...(await ownPackages())];
  const specs = await resolvePlugins(config, packages, configDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const unlock = await lockDataDir(dataDir, file);

  const log = options.log ?? quiet;
  const events = new EventReporter(log);
  let tied = false;
  const { store, host } = compose({
    config,
    dataDir,
    log,
    onPlugin(status, previous) {
      // Once: the handle finds the storage again after a crash or a change, and the store then reads up on its log.
      if (status.role === 'storage/v1' && status.state === 'Running' && !tied) {
        tied = true;
        store.attach(host.use<Storage>('storage/v1', MASTER)).catch((error: Error) => {
          tied = false;
          log.log('error', status.id, 'the store could not attach to its storage', { error: error.message });
        });
      }
      events.changed(status, previous);
      options.onPlugin?.(status);
    },
  });

  let unwatch: (() => Promise<void>) | undefined;
  const stop = async ({ pods = false } = {}): Promise<void> => {
    await unwatch?.();
    unwatch = undefined;
    events.stop();
    if (pods) await endPods(host);
    await host.stop();
    await store.close();
    await unlock();
  };
  const applyConfig = async (next: ClusterConfig): Promise<AppliedChange[]> =>
    host.apply(await resolvePlugins(amend(next), packages, configDir));

  const started = host.start(specs);
  try {
    await serving(
      host,
      specs.map((spec) => spec.id),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const api = host.use<ApiService>('apiserver/v1', MASTER);
  const client = createClient(api);
  events.start(client);
  if (file) {
    const { watchConfig } = await import('./config/watch.ts');
    unwatch = watchConfig(file, {
      changed: async (next) => options.onConfig?.({ changes: await applyConfig(next) }),
      refused: (error) => options.onConfig?.({ refused: error }),
    });
  }
  return {
    name: config.name,
    dataDir,
    settled: async () => {
      await started;
      return host.statuses();
    },
    plugins: () => host.statuses(),
    client: () => client,
    request: (request) => api.request(request),
    use: <T extends object>(role: RoleName) => host.use<T>(role, MASTER),
    stats: () => host.use<Storage>('storage/v1', MASTER).stats(),
    apply: (document) => applyConfig(withDefaults(document)),
    backup: (target) => store.backup(resolve(target)),
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

/** The container runtime of a running kernel, for loading images. */
export function runtimeOf(kernel: Kernel): CriRuntime {
  return kernel.use<CriRuntime>('cri/v1');
}

/** Ends the pods, then the runtime, then (with it) the network. The plugins themselves leave all of it running, to be adopted. */
async function endPods(host: PluginHost): Promise<void> {
  const runs = (role: RoleName): boolean =>
    host.statuses().some((status) => status.role === role && (status.state === 'Running' || status.state === 'Degraded'));
  if (runs('kubelet/v1'))
    await host
      .use<Required<Kubelet>>('kubelet/v1', MASTER)
      .shutdown()
      .catch(() => {});
  await host.stopRole('kubelet/v1');
  if (runs('cri/v1'))
    await host
      .use<Required<CriRuntime>>('cri/v1', MASTER)
      .shutdown()
      .catch(() => {});
}

/** Resolves when the API server runs; rejects when it, or something it needs, failed at its first start. */
async function serving(host: PluginHost, ids: readonly string[]): Promise<void> {
  const door = ids.find((id) => id.startsWith('apiserver/')) ?? ids.find((id) => id.startsWith('storage/'));
  if (!door) return;
  const failed = async (id: string): Promise<never> => {
    await host.reached(id, 'Restarting', 'Failed');
    const status = host.statuses().find((one) => one.id === id);
    throw new StartFailure(id, status?.reason ?? 'no reason given');
  };
  const vital = ids.filter(
    (id) => id === door || id.startsWith('storage/') || ['api/', 'authn/', 'authz/', 'admission/'].some((role) => id.startsWith(role)),
  );
  const failures = vital.map(failed);
  for (const failure of failures) failure.catch(() => {});
  await Promise.race([host.reached(door, 'Running'), ...failures]);
}

class StartFailure extends Error {
  readonly code = 'ERR_CLUSTER_START';
  readonly subject: string;
  constructor(id: string, reason: string) {
    super(`${id} did not start: ${reason}`);
    this.subject = id;
  }
}

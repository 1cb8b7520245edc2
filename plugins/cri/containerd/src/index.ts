import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CniDriver, type CriRuntime, definePlugin, type PluginContext } from '@kubernel/sdk';
import { Connection } from './connection.ts';
import { Daemon } from './daemon.ts';
import { containerdMissing, containerdNeedsRoot } from './errors.ts';
import { importArchive } from './import.ts';
import { PAUSE_IMAGE, pauseArchive } from './pause.ts';
import { criRuntime } from './runtime.ts';
import {
  type ContainerdConfig,
  chooseOciRuntime,
  containerdToml,
  findBinary,
  inspectMachine,
  layout,
  ociArchitecture,
} from './settings.ts';
import { endEverything } from './shutdown.ts';

export type { ContainerdConfig } from './settings.ts';

/**
 * cri/containerd: Kubernetes' CRI v1 to containerd. Without `config.socket` the plugin starts a containerd of its own,
 * which outlives it and is adopted by its successor.
 */
export default definePlugin<'cri/v1', ContainerdConfig>('cri/v1', 'containerd', {
  async start(ctx) {
    const daemon = ctx.config.socket ? undefined : await startDaemon(ctx);
    const connection = new Connection(ctx.config.socket ?? layout(ctx.pluginDir).socket);
    ctx.defer(() => connection.close());
    const runtime = criRuntime(connection);
    if (daemon) await ensurePauseImage(runtime, connection);
    return {
      ...runtime,
      async importImage({ file, names }) {
        const images = await importArchive(connection, { file }, names);
        await Promise.all(images.map((image) => visibleToCri(runtime, image)));
        return { images };
      },
      async shutdown() {
        await endEverything(runtime);
        await daemon?.stop();
        await cniDriver(ctx)?.shutdown?.();
      },
    };
  },
});

async function startDaemon(ctx: PluginContext<ContainerdConfig>): Promise<Daemon> {
  const { config } = ctx;
  if (process.getuid?.() !== 0) throw containerdNeedsRoot();
  const binary = findBinary(config.containerd ?? 'containerd');
  if (!binary) throw containerdMissing('containerd');
  if (!findBinary('containerd-shim-runc-v2')) throw containerdMissing('containerd-shim-runc-v2');
  const machine = inspectMachine();
  const ociRuntime = chooseOciRuntime(config, machine);
  if (!ociRuntime) throw containerdMissing(config.ociRuntime ?? 'runc');
  const paths = layout(ctx.pluginDir);
  const daemon = new Daemon({
    binary,
    layout: paths,
    toml: containerdToml({ layout: paths, config, machine, ociRuntime, cni: await cniLocations(ctx), pauseImage: PAUSE_IMAGE }),
    registries: config.registries ?? {},
    log: ctx.log,
    report: (state, reason) => ctx.report(state, reason),
  });
  ctx.defer(() => daemon.release());
  const began = Date.now();
  const how = await daemon.start();
  ctx.log.info(`containerd ${how}`, { socket: paths.socket, ociRuntime, ms: Date.now() - began });
  return daemon;
}

/** A cni/v1 plugin knows; without one, where the distributions keep it. */
async function cniLocations(ctx: PluginContext<ContainerdConfig>): Promise<{ confDir: string; binDir: string }> {
  const { cni } = ctx.config;
  const fallback = {
    confDir: cni?.confDir ?? '/etc/cni/net.d',
    binDir:
      cni?.binDir ?? ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'].find((dir) => existsSync(`${dir}/loopback`)) ?? '/opt/cni/bin',
  };
  if (cni) return fallback;
  try {
    return (await cniDriver(ctx)?.locations()) ?? fallback;
  } catch {
    return fallback;
  }
}

function cniDriver(ctx: PluginContext<ContainerdConfig>): CniDriver | undefined {
  if (ctx.config.cni) return undefined;
  try {
    return ctx.use('cni/v1');
  } catch {
    return undefined;
  }
}

async function ensurePauseImage(runtime: CriRuntime, connection: Connection): Promise<void> {
  if (await runtime.imageStatus({ image: { image: PAUSE_IMAGE } })) return;
  await importArchive(connection, { data: await pauseArchive(ociArchitecture()) });
  await visibleToCri(runtime, PAUSE_IMAGE);
}

/** The CRI service hears of a new image by an event, a few milliseconds later. */
async function visibleToCri(runtime: CriRuntime, image: string): Promise<void> {
  for (const end = Date.now() + 5_000; Date.now() < end; await sleep(10)) {
    if (await runtime.imageStatus({ image: { image } })) return;
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KubernelError, type PluginStatus } from '@kubernel/sdk';
import { IdleCollector } from '@kubernel/sdk/isolate';
import { parse } from 'yaml';
import type { ClusterDocument } from '../../config/cluster-config.ts';
import { control } from '../../control/client.ts';
import { type StatusDocument, serveControl } from '../../control/server.ts';
import { readRunFile } from '../../data-dir.ts';
import { dataDirInUse } from '../../errors.ts';
import { repositoryRoot } from '../../host/catalog.ts';
import { createKernel, type KernelOptions } from '../../kernel.ts';
import { createLog } from '../log.ts';
import { examine, lacking, type MachineCheck } from '../machine.ts';
import { print, printError } from '../output.ts';
import { installDebian } from './doctor.ts';
import { kubernelVersion } from './version.ts';

export interface UpOptions {
  config?: string;
  dataDir: string;
  port?: number;
  detach?: boolean;
  log: 'debug' | 'info' | 'warn' | 'error';
}

const READY_MS = 90_000;

export async function up(options: UpOptions): Promise<void> {
  const dataDir = resolve(options.dataDir);
  const running = await readRunFile(dataDir);
  if (running) throw dataDirInUse(dataDir, running.pid);
  const config = resolve(options.config ?? (await defaultConfig()));
  if (options.config) await prepare(config);
  if (options.detach) return detach(options, config, dataDir);

  const began = performance.now();
  const amend = portAmendment(options.port);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const log = await createLog(join(dataDir, 'kubernel.log'), options.log);
  const progress = new Progress();
  print(`Starting the cluster of ${config}`);
  const kernel = await createKernel({
    config,
    ...(amend ? { amend } : {}),
    dataDir,
    log,
    onPlugin: (status) => progress.changed(status),
    onConfig: (outcome) => {
      if ('refused' in outcome) printError(outcome.refused);
      else for (const { id, change, reason } of outcome.changes) print(`config: ${id} ${change}${reason ? `: ${reason}` : ''}`);
    },
  });
  const stopped = Promise.withResolvers<void>();
  const about = { version: await kubernelVersion(), config };
  const door = await serveControl(kernel, about, () => void stop());
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    print('Stopping: containers, then plugins, storage last.');
    await door.close();
    await kernel.stop({ pods: true });
    stopped.resolve();
  };
  // The first signal stops in order; a second one means it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopping ? process.exit(130) : void stop()));

  await Promise.race([kernel.settled(), delay(READY_MS, undefined, { ref: false })]);
  announce(kernel.plugins(), dataDir, kernel.name, performance.now() - began);
  const idle = new IdleCollector();
  const looks = setInterval(() => idle.look(threadCpuMicros()), 1_000);
  await stopped.promise;
  clearInterval(looks);
  print('Stopped.');
  process.exit(0);
}

function threadCpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** standalone.yaml where real containers can run (installing what they need), else dev.yaml, and says why. */
async function defaultConfig(): Promise<string> {
  const root = join(repositoryRoot(), 'config');
  const missing = await installLacking();
  if (missing.length === 0) return join(root, 'standalone.yaml');
  print('This machine cannot run real containers, so nodes will be simulated (config/dev.yaml):');
  for (const item of missing) print(`  - ${item.name}: ${item.problem}`);
  print('  `kubernel doctor` explains what to do about it.\n');
  return join(root, 'dev.yaml');
}

/** A config that was asked for is not replaced by another: what it needs and cannot get is an error. */
async function prepare(config: string): Promise<void> {
  const { spec } = (parse(await readFile(config, 'utf8').catch(() => '')) as Partial<ClusterDocument> | null) ?? {};
  const runtime = spec?.plugins?.['cri/containerd'];
  if (runtime === undefined || runtime?.enabled === false || runtime?.config?.['socket'] !== undefined) return;
  const [first] = await installLacking();
  if (first)
    throw new KubernelError('ERR_MACHINE', `${config} runs real containers, and this machine cannot: ${first.name}: ${first.problem}`, {
      hint: first.remedy ?? '`kubernel doctor` explains',
    });
}

/** Installs missing Debian packages where that is possible: as root, with apt. Returns what is still lacking. */
async function installLacking(): Promise<MachineCheck[]> {
  const missing = lacking(await examine());
  const packages = [...new Set(missing.flatMap((check) => check.debian ?? []))];
  const hopeless = missing.some((check) => check.debian === undefined);
  if (packages.length === 0 || hopeless || process.getuid?.() !== 0) return missing;
  print(`Real containers need ${packages.join(', ')}: containerd and runc run them, CNI plugins, iproute2 and iptables connect them.`);
  try {
    installDebian(packages);
  } catch (error) {
    printError(error);
  }
  return lacking(await examine());
}

/** --port counts for as long as this process runs, whatever the file says meanwhile. */
function portAmendment(port: number | undefined): KernelOptions['amend'] {
  if (port === undefined) return undefined;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new KubernelError('ERR_CONFIG_INVALID', `--port ${port} is not a port`);
  return (config) => {
    const server = config.plugins['apiserver/server'];
    if (!server) return config;
    return { ...config, plugins: { ...config.plugins, 'apiserver/server': { ...server, config: { ...server.config, port } } } };
  };
}

function announce(plugins: readonly PluginStatus[], dataDir: string, name: string, ms: number): void {
  const unwell = plugins.filter((plugin) => !['Running', 'Standby'].includes(plugin.state));
  for (const plugin of unwell) print(`  ${plugin.id} is ${plugin.state}: ${plugin.reason ?? ''}`);
  print(
    unwell.length === 0
      ? `Cluster ${name} is ready (${(ms / 1000).toFixed(1)} s).\n`
      : `\nCluster ${name} serves, but ${unwell.length} of ${plugins.length} plugins do not run; its log is ${join(dataDir, 'kubernel.log')}\n`,
  );
  print(`  export KUBECONFIG=${join(dataDir, 'kubeconfig')}`);
  print('  kubectl get nodes');
  print(process.stdout.isTTY ? '\nCtrl-C stops it.' : '');
}

/** One line for each plugin that comes up, fails or comes back. */
class Progress {
  readonly #began = performance.now();

  changed(status: PluginStatus): void {
    const at = `${((performance.now() - this.#began) / 1000).toFixed(1)}s`.padStart(6);
    if (status.state === 'Running' && status.role !== 'api/v1') print(`${at}  ${status.id}`);
    else if (status.state === 'Failed' || status.state === 'Restarting' || status.state === 'Degraded')
      print(`${at}  ${status.id} ${status.state}: ${status.reason ?? ''}`);
  }
}

/** Starts the same command as a process of its own, and waits until it is ready. */
async function detach(options: UpOptions, config: string, dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const out = await open(join(dataDir, 'up.log'), 'w', 0o600);
  const args = [
    process.argv[1] as string,
    'up',
    '--config',
    config,
    '--data-dir',
    dataDir,
    '--log',
    options.log,
    ...(options.port === undefined ? [] : ['--port', String(options.port)]),
  ];
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', out.fd, out.fd],
    // As kernel/bin/up.mjs: fewer heaps of glibc.
    env: { MALLOC_ARENA_MAX: '2', ...process.env },
  });
  const exited = once(child, 'exit').then(() => true);
  const deadline = Date.now() + READY_MS;
  for (;;) {
    if (await Promise.race([exited, delay(100, false)])) {
      const text = await readFile(join(dataDir, 'up.log'), 'utf8');
      throw new KubernelError('ERR_CLUSTER_START', `the cluster did not start:\n${text.trim()}`);
    }
    const document = await control<StatusDocument>(dataDir, 'GET', '/status').catch(() => undefined);
    if (document && (document.plugins.every((plugin) => !['Pending', 'Starting'].includes(plugin.state)) || Date.now() > deadline)) {
      announce(document.plugins, dataDir, document.name, document.uptimeSeconds * 1000);
      break;
    }
    if (Date.now() > deadline)
      throw new KubernelError('ERR_CLUSTER_START', `the cluster is not ready after ${READY_MS / 1000} s; see ${join(dataDir, 'up.log')}`);
  }
  print(`It runs in the background; stop it with: kubernel down --data-dir ${options.dataDir}`);
  await out.close();
  child.unref();
}

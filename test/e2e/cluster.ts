import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { clients } from '../clients.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'kernel', 'dist', 'cli', 'main.js');
const NODE = join(ROOT, 'node_modules', '.bin', 'node');

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A cluster in a process of its own, as `kubernel up` starts it, on a random port and a directory of its own. */
export class TestCluster {
  readonly dir: string;
  readonly config: string;
  readonly #port: number;
  /** The user to run as, where it is not this process's. */
  readonly #uid: number | undefined;
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(dir: string, config: string, port: number, uid: number | undefined) {
    this.dir = dir;
    this.config = config;
    this.#port = port;
    this.#uid = uid;
  }

  /** `config`: a file, or the name of one in config/. */
  static async start(config: string, { port = 0, uid }: { port?: number; uid?: number } = {}): Promise<TestCluster> {
    const dir = await mkdtemp(join(tmpdir(), 'kubernel-e2e-'));
    const file = join(dir, 'cluster.yaml');
    await writeFile(
      file,
      stringify(onFreePorts(parse(await readFile(config.includes('/') ? config : join(ROOT, 'config', config), 'utf8')))),
    );
    const cluster = new TestCluster(dir, file, port, uid);
    if (uid !== undefined) await chown(dir, uid, uid);
    try {
      await cluster.up();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get dataDir(): string {
    return join(this.dir, 'data');
  }

  get kubeconfig(): string {
    return join(this.dataDir, 'kubeconfig');
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  /** What `kubernel up` has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Starts it (again, after a kill). Resolves when it says that it is ready. */
  async up(): Promise<void> {
    const child = spawn(NODE, [MAIN, 'up', '--config', this.config, '--data-dir', this.dataDir, '--port', String(this.#port)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(this.#uid === undefined ? {} : { uid: this.#uid, gid: this.#uid, env: { ...process.env, HOME: this.dir } }),
    });
    this.#child = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    const deadline = Date.now() + 90_000;
    while (!this.#output.includes('export KUBECONFIG=')) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the cluster did not start:\n${this.#output}`);
      await delay(20);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Stops in order and removes everything. */
  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    await rm(this.dir, { recursive: true, force: true });
  }

  kubernel(...args: string[]): CommandResult {
    return run(NODE, [MAIN, ...args, '--data-dir', this.dataDir]);
  }

  /** Runs stock kubectl against this cluster. */
  kubectl(...args: string[]): CommandResult {
    return run(kubectlPath(), args, { KUBECONFIG: this.kubeconfig });
  }

  /** kubectl's standard output; throws with its error output when it fails. */
  k(...args: string[]): string {
    const { code, stdout, stderr } = this.kubectl(...args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit ${code}\n${stderr}${stdout}`);
    return stdout;
  }

  /** kubectl with a manifest (an object, a list of objects, or text) on standard input. */
  apply(manifest: object | object[] | string, ...args: string[]): string {
    const text =
      typeof manifest === 'string'
        ? manifest
        : [manifest]
            .flat()
            .map((one) => JSON.stringify(one))
            .join('\n---\n');
    const { code, stdout, stderr } = run(kubectlPath(), ['apply', '-f', '-', ...args], { KUBECONFIG: this.kubeconfig }, text);
    if (code !== 0) throw new Error(`kubectl apply: exit ${code}\n${stderr}${stdout}`);
    return stdout;
  }

  /** A kubectl that goes on (watch, logs -f, port-forward): its output as it comes, and a way to end it. */
  follow(...args: string[]): Following {
    return new Following(
      spawn(kubectlPath(), args, { env: { ...process.env, KUBECONFIG: this.kubeconfig }, stdio: ['pipe', 'pipe', 'pipe'] }),
    );
  }
}

export class Following {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill();
    await once(this.child, 'exit');
  }
}

/** Polls until `probe` returns something true. Its last error or value is in the message when time runs out. */
export async function eventually<T>(probe: () => T | Promise<T>, ms = 30_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    await delay(100);
  }
}

interface Composition {
  spec: { plugins: Record<string, { config?: Record<string, unknown> } | null> };
}

/** Tests run side by side, so the kubelet's port is any free one too. */
function onFreePorts(composition: Composition): Composition {
  const { plugins } = composition.spec;
  if ('kubelet/agent' in plugins)
    plugins['kubelet/agent'] = { ...plugins['kubelet/agent'], config: { ...plugins['kubelet/agent']?.config, port: 0 } };
  return composition;
}

let found: string | undefined;

function kubectlPath(): string {
  found ??= clients().kubectl;
  if (!found) throw new Error('there is no kubectl');
  return found;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string): CommandResult {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 << 20,
    timeout: 120_000,
    ...(input === undefined ? {} : { input }),
  });
  if (error) throw error;
  return { code: status ?? -1, stdout, stderr };
}

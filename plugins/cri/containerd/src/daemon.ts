import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@kubernel/sdk';
import { Connection } from './connection.ts';
import { containerdFailed } from './errors.ts';
import { hostsToml, type Layout, type RegistryMirror, SEARCH_PATH } from './settings.ts';

const READY_MS = 30_000;
const BACKOFF_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000];
const LOG_MAX_BYTES = 16 << 20;

export interface DaemonOptions {
  binary: string;
  layout: Layout;
  toml: string;
  registries: Record<string, { mirrors: RegistryMirror[] }>;
  log: Logger;
  report(state: 'ok' | 'degraded', reason: string): void;
}

interface PidRecord {
  pid: number;
  /** Field 22 of /proc/<pid>/stat: with the pid it names one process of one boot. */
  startTime: string;
}

/**
 * A containerd of our own. It is started detached and left running when the plugin, its thread or the whole kernel goes
 * away, so that containers run on; the next start finds it by its pid file and goes on with it. When only its configuration
 * changed it is restarted: containers belong to their shims and do not notice.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  #watching = false;
  #stopped = false;
  #failures = 0;
  #watcher: Promise<void> | undefined;
  readonly #abort = new AbortController();

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** Resolves when the socket answers. */
  async start(): Promise<'adopted' | 'started'> {
    const { layout, toml } = this.#options;
    for (const dir of [layout.root, layout.state, dirname(layout.socket), dirname(layout.configFile)])
      mkdirSync(dir, { recursive: true, mode: 0o711 });
    this.#writeRegistries();
    const unchanged = existsSync(layout.configFile) && readFileSync(layout.configFile, 'utf8') === toml;
    const running = runningPid(layout);
    let how: 'adopted' | 'started' = 'adopted';
    if (!unchanged) writeFileSync(layout.configFile, toml);
    if (running === undefined || !unchanged) {
      if (running !== undefined) await this.#end(running);
      this.#spawn();
      how = 'started';
    }
    await this.#ready();
    this.#watcher = this.#watch();
    return how;
  }

  /** Stops watching; containerd and the containers run on. */
  async release(): Promise<void> {
    this.#stopped = true;
    this.#abort.abort();
    await this.#watcher;
  }

  /** Ends containerd. Containers go on running, unless they were stopped before. */
  async stop(): Promise<void> {
    await this.release();
    const pid = runningPid(this.#options.layout);
    if (pid !== undefined) await this.#end(pid);
    const { pidFile, socket, configFile } = this.#options.layout;
    rmSync(pidFile, { force: true });
    // A socket that did not fit into the plugin's directory has one of its own.
    if (dirname(socket) !== dirname(configFile)) rmSync(dirname(socket), { recursive: true, force: true });
  }

  #spawn(): void {
    const { binary, layout } = this.#options;
    if (existsSync(layout.logFile) && statSync(layout.logFile).size > LOG_MAX_BYTES) renameSync(layout.logFile, `${layout.logFile}.1`);
    rmSync(layout.socket, { force: true });
    const output = openSync(layout.logFile, 'a', 0o600);
    try {
      const child = spawn(binary, ['--config', layout.configFile, '--log-level', 'warn'], {
        detached: true,
        stdio: ['ignore', output, output],
        cwd: '/',
        env: { PATH: SEARCH_PATH, HOME: '/root', ...proxySettings() },
      });
      child.on('error', (error) => this.#options.log.error('containerd cannot be run', { error: error.message }));
      child.unref();
      if (child.pid) {
        writeFileSync(layout.pidFile, JSON.stringify({ pid: child.pid, startTime: startTime(child.pid) ?? '' } satisfies PidRecord));
      }
    } finally {
      closeSync(output);
    }
  }

  async #ready(): Promise<void> {
    const { layout } = this.#options;
    const connection = new Connection(layout.socket);
    try {
      for (const end = Date.now() + READY_MS; ; ) {
        try {
          await connection.call('runtime', 'version', {}, { timeoutMs: 2_000 });
          return;
        } catch (error) {
          if (runningPid(layout) === undefined) throw containerdFailed('it ended at once', layout.logFile);
          // The CRI service registers a little after the socket opens.
          if (Date.now() > end) throw containerdFailed(`no answer in ${READY_MS / 1000} s (${(error as Error).message})`, layout.logFile);
          await sleep(50);
        }
      }
    } finally {
      connection.close();
    }
  }

  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    const { layout, log, report } = this.#options;
    let healthySince = Date.now();
    while (!this.#stopped) {
      await sleep(1_000, undefined, { signal: this.#abort.signal }).catch(() => {});
      if (this.#stopped || runningPid(layout) !== undefined) {
        if (this.#failures && Date.now() - healthySince > 120_000) this.#failures = 0;
        continue;
      }
      const waitMs = BACKOFF_MS[Math.min(this.#failures++, BACKOFF_MS.length - 1)]!;
      log.error('containerd ended and is started again', { waitMs, logFile: layout.logFile });
      report('degraded', `containerd ended; see ${layout.logFile}`);
      await sleep(waitMs, undefined, { signal: this.#abort.signal }).catch(() => {});
      if (this.#stopped) return;
      try {
        this.#spawn();
        await this.#ready();
        healthySince = Date.now();
        report('ok', 'containerd runs again');
      } catch (error) {
        log.error('containerd did not come back', { error: (error as Error).message });
      }
    }
  }

  async #end(pid: number): Promise<void> {
    const { layout } = this.#options;
    signal(pid, 'SIGTERM');
    for (const end = Date.now() + 10_000; runningPid(layout) === pid; ) {
      if (Date.now() > end) signal(pid, 'SIGKILL');
      await sleep(20);
    }
  }

  #writeRegistries(): void {
    const { layout, registries } = this.#options;
    mkdirSync(layout.certsDir, { recursive: true });
    for (const [host, { mirrors }] of Object.entries(registries)) {
      mkdirSync(join(layout.certsDir, host), { recursive: true });
      writeFileSync(join(layout.certsDir, host, 'hosts.toml'), hostsToml(host, mirrors));
    }
  }
}

/** The containerd of this layout, when it runs: a pid alone could be anyone's after a reboot. */
export function runningPid(layout: Layout): number | undefined {
  try {
    const { pid, startTime: recorded } = JSON.parse(readFileSync(layout.pidFile, 'utf8')) as PidRecord;
    return startTime(pid) === recorded && recorded !== '' ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when there is no such process, or only its zombie. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command may hold spaces and parentheses; fields are counted from its last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

function proxySettings(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']) {
    if (process.env[name]) found[name] = process.env[name];
  }
  return found;
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CniDriver, definePlugin } from '@kubernel/sdk';
import { conflist, type NetworkConfig } from './conflist.ts';
import { cniMissing, cniNotConfigured } from './errors.ts';
import { add, del } from './invoke.ts';

/** config.schema.json */
export interface CniExecConfig {
  /** Directories with CNI binaries, first match wins. */
  binDirs?: string[];
  /** A directory with a configuration of your own, used instead of the one written here. */
  confDir?: string;
  /** The bridge's name. Default `kubernel0`. */
  bridge?: string;
  /** 0 or undefined: the link's own. */
  mtu?: number;
}

const run = promisify(execFile);
const BIN_DIRS = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];
const NEEDED = ['bridge', 'host-local', 'loopback', 'portmap'];

/**
 * cni/exec: writes the configuration list from the node's pod CIDRs. A runtime that calls CNI itself (containerd) reads it
 * from `locations().confDir`; for others, `attach` and `detach` run the plugins.
 */
export default definePlugin<'cni/v1', CniExecConfig>('cni/v1', 'exec', {
  async start({ config, pluginDir, log, cluster }): Promise<CniDriver> {
    const binDirs = config.binDirs ?? BIN_DIRS;
    const binDir = binDirs.find((dir) => NEEDED.every((name) => existsSync(join(dir, name))));
    if (!binDir) throw cniMissing(NEEDED.find((name) => !binDirs.some((dir) => existsSync(join(dir, name)))) ?? NEEDED[0]!, binDirs);
    const bridge = config.bridge ?? 'kubernel0';
    const own = config.confDir === undefined;
    const confDir = config.confDir ?? join(pluginDir, 'net.d');
    const file = join(confDir, '10-kubernel.conflist');
    await mkdir(confDir, { recursive: true });
    let configuring: Promise<void> = Promise.resolve();

    async function current(): Promise<NetworkConfig> {
      if (!own) throw cniNotConfigured();
      const text = await readFile(file, 'utf8').catch(() => {
        throw cniNotConfigured();
      });
      return JSON.parse(text) as NetworkConfig;
    }

    return {
      async check() {
        return !own || existsSync(file) ? undefined : cniNotConfigured().message;
      },
      async locations() {
        return { confDir, binDir };
      },
      configure(request) {
        // One after the other: two that wrote at the same time would rename the same file twice.
        const done = configuring.then(() => write(request));
        configuring = done.catch(() => {});
        return done;
      },
      async shutdown() {
        if (own) await run('ip', ['link', 'delete', bridge]).catch(() => {});
      },
      attach: async (request) => add(await current(), binDir, request),
      detach: async (request) => del(await current(), binDir, request),
    };

    async function write({ podCIDRs, mtu }: { podCIDRs: string[]; mtu?: number }): Promise<void> {
      if (!own || !podCIDRs.length) return;
      const list = conflist({
        name: cluster.name || 'kubernel',
        bridge,
        podCIDRs,
        mtu: config.mtu ?? mtu,
        stateDir: join(pluginDir, 'addresses'),
      });
      const text = JSON.stringify(list, null, 2);
      if ((await readFile(file, 'utf8').catch(() => '')) === text) return;
      // The runtime watches the directory: it must never read half a file.
      await writeFile(`${file}.tmp`, text);
      await rename(`${file}.tmp`, file);
      log.info('pod network configured', { podCIDRs, bridge });
    }
  },
});

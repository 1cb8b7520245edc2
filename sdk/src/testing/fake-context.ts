import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../client/rest-client.ts';
import type { LogFields, PluginContext } from '../define.ts';
import { KubernelError } from '../errors.ts';
import type { ApiService } from '../roles/apiserver.ts';

export interface FakeContext<C> extends PluginContext<C> {
  /** `warn reconcile failed {"object":"x/y"}`, oldest first; debug lines are left out. */
  readonly logged: string[];
  readonly reports: string[];
  /** Ends the plugin as the host does, and removes its directories. */
  dispose(): Promise<void>;
}

/**
 * A fake plugin context over an {@link ApiService} (as a rule a FakeApi), to start one plugin's hooks in a unit test
 * without a host: no other roles, no extensions, metrics that go nowhere.
 */
export function fakeContext<C = Record<string, unknown>>(api: ApiService, overrides: Partial<PluginContext<C>> = {}): FakeContext<C> {
  const id = overrides.id ?? 'test/fake';
  // Made when they are first asked for: most plugins keep nothing on disk.
  let madeDir: string | undefined = overrides.dataDir;
  const dataDir = (): string => (madeDir ??= mkdtempSync(join(tmpdir(), 'kubernel-fake-')));
  const abort = new AbortController();
  const disposers: (() => unknown)[] = [];
  const logged: string[] = [];
  const reports: string[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => {
    logged.push(`${level} ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`);
  };
  const missing = (role: string): KubernelError =>
    new KubernelError('ERR_ROLE_UNAVAILABLE', `the fake context has no ${role}`, { subject: id });
  const context: PluginContext<C> = {
    id,
    config: {} as C,
    signal: abort.signal,
    log: { debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') },
    metrics: {
      counter: () => ({ inc: () => undefined }),
      gauge: () => ({ set: () => undefined }),
      histogram: () => ({ observe: () => undefined }),
    },
    cluster: {
      name: 'test',
      clusterDomain: 'cluster.local',
      serviceCIDRs: ['10.96.0.0/16'],
      podCIDRs: ['10.244.0.0/16'],
      clusterDNS: ['10.96.0.10'],
      nodePortRange: [30000, 32767],
    },
    get dataDir() {
      return dataDir();
    },
    get pluginDir() {
      const dir = join(dataDir(), 'plugins', id);
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      return dir;
    },
    client: () => createClient(api),
    use: (role) => {
      throw missing(role);
    },
    extensions: (role) => {
      throw missing(role);
    },
    defer: (dispose) => void disposers.push(dispose),
    report: (state, reason) => void reports.push(`${state}: ${reason}`),
  };
  // Defined, not spread: spreading would read the getters.
  return Object.defineProperties(context, {
    ...Object.getOwnPropertyDescriptors(overrides),
    ...Object.getOwnPropertyDescriptors({
      logged,
      reports,
      async dispose(): Promise<void> {
        abort.abort();
        for (const dispose of disposers.reverse()) await dispose();
        if (madeDir && !overrides.dataDir) rmSync(madeDir, { recursive: true, force: true });
      },
    }),
  }) as FakeContext<C>;
}

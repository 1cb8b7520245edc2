import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../client/client.ts';
import { KubernelError } from '../errors.ts';

/** What a test sees of a kernel in memory. The whole of it is `Kernel` of `@kubernel/kernel`. */
export interface TestKernel extends AsyncDisposable {
  /** The API with all rights, without a socket. */
  client(): Client;
  plugins(): { id: string; state: string; reason?: string }[];
  settled(): Promise<unknown>;
  stop(): Promise<void>;
}

export interface TestKernelOptions {
  /** API groups to serve besides `core`: `['apps', 'batch']`. */
  groups?: readonly string[];
  /** More plugins, as a config file has them: `{ 'controller/deployment': {} }`. */
  plugins?: Record<string, object>;
}

/**
 * A kernel in memory, in this thread, without a socket: the real API server over the real store, for tests. It needs
 * `@kubernel/kernel` beside this package, since the SDK itself depends on nothing of Kubernel's.
 *
 * @example
 * await using kernel = await startTestKernel({ groups: ['apps'], plugins: { 'controller/replicaset': { isolate: 'inline' } } });
 * await kernel.client().create(CONFIG_MAPS, { metadata: { name: 'x', namespace: 'default' } });
 */
export async function startTestKernel({ groups = [], plugins = {} }: TestKernelOptions = {}): Promise<TestKernel> {
  const { createKernel } = await loadKernel();
  const dataDir = await mkdtemp(join(tmpdir(), 'kubernel-test-kernel-'));
  const config = {
    apiVersion: 'kubernel.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'test' },
    spec: {
      plugins: {
        'storage/memory': { isolate: 'inline' },
        'apiserver/server': { isolate: 'inline', config: { listen: false } },
        ...Object.fromEntries(['core', ...groups].map((group) => [`api/${group}`, {}])),
        'authz/masters': {},
        ...plugins,
      },
    },
  };
  try {
    const kernel = await createKernel({ dataDir, config });
    const stop = async (): Promise<void> => {
      await kernel.stop();
      await rm(dataDir, { recursive: true, force: true });
    };
    return {
      client: () => kernel.client(),
      plugins: () => kernel.plugins(),
      settled: () => kernel.settled(),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}

interface KernelModule {
  createKernel(options: { dataDir: string; config: object }): Promise<Omit<TestKernel, keyof AsyncDisposable>>;
}

/** Found at run time, in the project that the test belongs to: no import of ours may stand in this package. */
async function loadKernel(): Promise<KernelModule> {
  const name = '@kubernel/kernel';
  try {
    return (await import(name)) as KernelModule;
  } catch (cause) {
    throw new KubernelError('ERR_KERNEL_MISSING', 'the kernel is not installed beside the SDK', {
      hint: 'npm install --save-dev @kubernel/kernel',
      cause,
    });
  }
}

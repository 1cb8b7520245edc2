import 'reflect-metadata';
import type { ApiService, PluginState, PluginStatus, RoleName } from '@kubernel/sdk';
import { createClient } from '@kubernel/sdk/client';
import { inject, injectable, instanceCachingFactory, container as root } from 'tsyringe';
import type { ClusterConfig } from './config/cluster-config.ts';
import { kernelIdentity } from './data-dir.ts';
import { LeaseElector } from './election/lease.ts';
import { localElector } from './election/local.ts';
import { systemClock } from './election/system-clock.ts';
import { type Elector, PluginHost } from './host/host.ts';
import { kernelLog, type LogSink } from './host/host-control.ts';
import { Store } from './store/index.ts';

/**
 * The one place where the kernel's parts are put together (and the one place with decorators). Every part takes what it
 * needs as constructor arguments and can be built without this file.
 */
export interface KernelParts {
  config: ClusterConfig;
  dataDir: string;
  log: LogSink;
  onPlugin(status: PluginStatus, previous: PluginState): void;
}

const PARTS = Symbol('KernelParts');
const STORE = Symbol('Store');
const ELECTOR = Symbol('Elector');
const HOST = Symbol('PluginHost');

@injectable()
class Composition {
  readonly store: Store;
  readonly host: PluginHost;

  constructor(@inject(STORE) store: Store, @inject(HOST) host: PluginHost) {
    this.store = store;
    this.host = host;
  }
}

export function compose(parts: KernelParts): { store: Store; host: PluginHost } {
  // A container of its own for each kernel: many may live in one process.
  const scope = root.createChildContainer();
  scope.register(PARTS, { useValue: parts });
  scope.register(STORE, {
    useFactory: instanceCachingFactory(
      () => new Store({ historyMs: parts.config.store.historyMs, log: kernelLog(parts.log, 'kernel/store') }),
    ),
  });
  scope.register<Elector>(ELECTOR, { useFactory: instanceCachingFactory(() => elector(parts, () => scope.resolve<PluginHost>(HOST))) });
  scope.register(HOST, {
    useFactory: instanceCachingFactory(
      (c) =>
        new PluginHost({
          dataDir: parts.dataDir,
          cluster: parts.config.cluster,
          log: parts.log,
          kernelServices: { 'store/v1': c.resolve<Store>(STORE).role } as Partial<Record<RoleName, object>>,
          elector: c.resolve<Elector>(ELECTOR),
          onChange: parts.onPlugin,
        }),
    ),
  });
  return scope.resolve(Composition);
}

/** Leases where several kernels may share the storage; otherwise nobody else could be elected. */
function elector({ config, dataDir }: KernelParts, host: () => PluginHost): Elector {
  const shared = Object.keys(config.plugins).some((id) => SHARED_STORAGE.includes(id));
  if (config.election.mode === 'local' || (config.election.mode === 'auto' && !shared)) return localElector;
  const identity = kernelIdentity(dataDir);
  const consumer = { id: 'kernel', user: { name: 'system:kernel', groups: ['system:masters', 'system:authenticated'] }, rules: [] };
  let leases: LeaseElector | undefined;
  return {
    elected: (id, lost, signal) => {
      leases ??= new LeaseElector(createClient(host().use<ApiService>('apiserver/v1', consumer)), identity, config.election, systemClock);
      return leases.elected(id, lost, signal);
    },
  };
}

const SHARED_STORAGE = ['storage/etcd'];

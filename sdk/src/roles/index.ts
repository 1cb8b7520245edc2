/**
 * Roles: the versioned contracts between plugins. A role is either a *service* (called over a MessagePort, from
 * wherever its consumer runs) or an *extension* (called as a plain function inside the isolate of its host plugin).
 */
import type { Admission } from './admission.ts';
import type { ApiGroup } from './api.ts';
import type { ApiService } from './apiserver.ts';
import type { Authenticator, Authorizer } from './auth.ts';
import type { CniDriver } from './cni.ts';
import type { CriRuntime } from './cri.ts';
import type { HostService, PerConsumer } from './host.ts';
import type { CsiDriver, VolumeDriver } from './node-drivers.ts';
import type { SchedulerPolicy } from './scheduler-policy.ts';
import type { Storage } from './storage.ts';
import type { Store } from './store.ts';

/** Role name -> the contract as its consumers see it. */
export interface Roles {
  'host/v1': HostService;
  'store/v1': Store;
  'storage/v1': Storage;
  'apiserver/v1': ApiService;
  'api/v1': ApiGroup;
  'authn/v1': Authenticator;
  'authz/v1': Authorizer;
  'admission/v1': Admission;
  'controller/v1': Controller;
  'scheduler/v1': Controller;
  'scheduler-policy/v1': SchedulerPolicy;
  'kubelet/v1': Kubelet;
  'cri/v1': CriRuntime;
  'cni/v1': CniDriver;
  'csi/v1': CsiDriver;
  'volume/v1': VolumeDriver;
  'proxy/v1': Controller;
  'netpolicy/v1': Controller;
  'dns/v1': Controller;
  'ingress/v1': Controller;
  'cloud/v1': Controller;
  'console/v1': Controller;
}

export type RoleName = keyof Roles;

/** What a plugin returns from `start`: the contract itself, or a function that makes one for each consumer. */
export type Provided<R extends RoleName> = Roles[R] | PerConsumer<Roles[R]>;

/** Something that runs by itself once started, through its context's client: a controller, the scheduler, a kubelet. */
export interface Controller {
  /** Why it is not ready, or undefined when it is. Shown in /readyz?verbose and `kubernel status`. */
  check?(): string | undefined | Promise<string | undefined>;
}

/** The node agent. Containers outlive it and are adopted by the next one. */
export interface Kubelet extends Controller {
  /** Ends the containers of this node and gives back what they hold; the objects in the API stay. For `kubernel down`. */
  shutdown?(): Promise<void>;
}

export interface RoleDescription {
  /** `service` is called over RPC; `extension` lives in the isolate of `host`. */
  kind: 'service' | 'extension';
  /** The role whose plugin calls this extension. */
  host?: RoleName;
  /** Methods that return an AsyncIterable: they become streams with credit. All others are calls. */
  streams: readonly string[];
}

export const ROLES: Readonly<Record<RoleName, RoleDescription>> = {
  'host/v1': { kind: 'service', streams: ['watch'] },
  'store/v1': { kind: 'service', streams: ['list', 'history', 'subscribe'] },
  'storage/v1': { kind: 'service', streams: ['list', 'history', 'watch'] },
  'apiserver/v1': { kind: 'service', streams: ['watch'] },
  'api/v1': { kind: 'extension', host: 'apiserver/v1', streams: [] },
  'authn/v1': { kind: 'extension', host: 'apiserver/v1', streams: [] },
  'authz/v1': { kind: 'extension', host: 'apiserver/v1', streams: [] },
  'admission/v1': { kind: 'extension', host: 'apiserver/v1', streams: [] },
  'controller/v1': { kind: 'service', streams: [] },
  'scheduler/v1': { kind: 'service', streams: [] },
  'scheduler-policy/v1': { kind: 'extension', host: 'scheduler/v1', streams: [] },
  'kubelet/v1': { kind: 'service', streams: [] },
  'cri/v1': { kind: 'service', streams: ['events'] },
  'cni/v1': { kind: 'service', streams: [] },
  'csi/v1': { kind: 'service', streams: [] },
  'volume/v1': { kind: 'extension', host: 'kubelet/v1', streams: [] },
  'proxy/v1': { kind: 'service', streams: [] },
  'netpolicy/v1': { kind: 'service', streams: [] },
  'dns/v1': { kind: 'service', streams: [] },
  'ingress/v1': { kind: 'service', streams: [] },
  'cloud/v1': { kind: 'service', streams: [] },
  'console/v1': { kind: 'service', streams: [] },
};

export * from './admission.ts';
export type * from './api.ts';
export type * from './apiserver.ts';
export type * from './auth.ts';
export type * from './cni.ts';
export type * from './cri.ts';
export type * from './host.ts';
export type * from './node-drivers.ts';
export * from './scheduler-policy.ts';
export * from './storage.ts';
export type * from './store.ts';

import { type KubernelError, statusReason } from '@kubernel/sdk';
import type { KubeObject, ResourceRef } from '@kubernel/sdk/api';
import type { Client } from '@kubernel/sdk/client';
import type { ElectionConfig } from '../config/cluster-config.ts';
import type { Elector } from '../host/host.ts';

/**
 * Leader election by Lease objects, one for each elected plugin (https://kubernetes.io/docs/concepts/architecture/leases/):
 * kernels on one storage spread the plugins over them, and each plugin has one active copy.
 *
 * A lease is taken by a compare-and-swap on its resourceVersion. Its holder renews it every `retrySeconds`; others take it
 * when they saw no renewal for `leaseSeconds` of their own clock, so clocks need not agree. A holder that could not renew
 * for `renewSeconds` steps down before that. `leaseTransitions` is the fencing token.
 */
export interface LeaseClock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

interface Lease extends KubeObject {
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; acquireTime?: string; renewTime?: string; leaseTransitions?: number };
}

const LEASES: ResourceRef = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' };
const NAMESPACE = 'kube-system';

export class LeaseElector implements Elector {
  readonly #client: Client;
  readonly #identity: string;
  readonly #config: ElectionConfig;
  readonly #clock: LeaseClock;

  constructor(client: Client, identity: string, config: ElectionConfig, clock: LeaseClock) {
    this.#client = client;
    this.#identity = identity;
    this.#config = config;
    this.#clock = clock;
  }

  async elected(id: string, lost: () => void, signal: AbortSignal): Promise<void> {
    const name = leaseName(id);
    let seen: { stamp: string; at: number } | undefined;
    for (;;) {
      signal.throwIfAborted();
      const lease = await this.#read(name).catch(() => null);
      if (lease !== null) {
        const stamp = lease ? `${lease.spec.holderIdentity} ${lease.spec.renewTime} ${lease.metadata.resourceVersion}` : '';
        if (stamp !== seen?.stamp) seen = { stamp, at: this.#clock.now() };
        const duration = (lease?.spec.leaseDurationSeconds ?? this.#config.leaseSeconds) * 1000;
        const free = !lease?.spec.holderIdentity || lease.spec.holderIdentity === this.#identity || this.#clock.now() - seen.at > duration;
        if (free) {
          const taken = await this.#write(name, lease, true).catch(() => undefined);
          if (taken) {
            void this.#hold(name, taken, lost, signal);
            return;
          }
        }
      }
      await this.#clock.sleep(this.#config.retrySeconds * 1000, signal);
    }
  }

  async #hold(name: string, lease: Lease, lost: () => void, signal: AbortSignal): Promise<void> {
    let held: Lease | undefined = lease;
    let renewed = this.#clock.now();
    while (!signal.aborted) {
      await this.#clock.sleep(this.#config.retrySeconds * 1000, signal).catch(() => {});
      if (signal.aborted) break;
      try {
        held = await this.#write(name, held ?? (await this.#read(name)), false);
        renewed = this.#clock.now();
      } catch (error) {
        held = undefined;
        if (statusReason(error as KubernelError) === 'Conflict') {
          const other = await this.#read(name).catch(() => undefined);
          if (other && other.spec.holderIdentity !== this.#identity) return lost();
        }
        if (this.#clock.now() - renewed > this.#config.renewSeconds * 1000) return lost();
      }
    }
    await this.#release(held);
  }

  /** Lets the next kernel take over at once rather than after the lease ran out. */
  async #release(held: Lease | undefined): Promise<void> {
    if (!held) return;
    const released = { ...held, spec: { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1 } };
    await this.#client.update(LEASES, released, { namespace: NAMESPACE }).catch(() => {});
  }

  async #read(name: string): Promise<Lease | undefined> {
    try {
      return await this.#client.get<Lease>(LEASES, name, { namespace: NAMESPACE });
    } catch (error) {
      if (statusReason(error) === 'NotFound') return undefined;
      throw error;
    }
  }

  async #write(name: string, lease: Lease | undefined, acquire: boolean): Promise<Lease> {
    const now = new Date(this.#clock.now()).toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
    const changesHands = lease !== undefined && lease.spec.holderIdentity !== this.#identity;
    const spec: Lease['spec'] = {
      ...lease?.spec,
      holderIdentity: this.#identity,
      leaseDurationSeconds: this.#config.leaseSeconds,
      renewTime: now,
      ...(acquire && (changesHands || !lease) ? { acquireTime: now, leaseTransitions: (lease?.spec.leaseTransitions ?? -1) + 1 } : {}),
    };
    const metadata = lease?.metadata ?? { name, namespace: NAMESPACE };
    const object: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    return lease
      ? this.#client.update(LEASES, object, { namespace: NAMESPACE })
      : this.#client.create(LEASES, object, { namespace: NAMESPACE });
  }
}

/** `controller/deployment` -> `kubernel-controller-deployment`. */
function leaseName(id: string): string {
  return `kubernel-${id.replace('/', '-')}`;
}

/** Which objects have to be looked at for a quota's limits. */
import type { ResourceRef } from '@kubernel/sdk/api';
import type { Client } from '@kubernel/sdk/client';
import { discover, PERSISTENT_VOLUME_CLAIMS, PODS, SERVICES } from '@kubernel/sdk/client';

const PLAIN = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas', 'services', 'persistentvolumeclaims', 'pods']);
const POD_AMOUNT = /^(?:requests\.|limits\.)?(?:cpu|memory|ephemeral-storage|hugepages-.+)$|^requests\.[^/]+\/.+$/;
/** What the server serves is asked anew after so long, when a quota names something unknown. */
const STALE_MS = 30_000;

export class CountedResources {
  readonly #client: () => Client;
  #served: readonly ResourceRef[] = [];
  #askedAt = 0;

  constructor(client: () => Client) {
    this.#client = client;
  }

  /** The resource behind a limit, or undefined: nothing of the kind is served. `count/deployments.apps`, `requests.cpu`, `services.nodeports`. */
  async of(limit: string): Promise<ResourceRef | undefined> {
    if (limit.startsWith('count/')) {
      const [resource = '', ...group] = limit.slice('count/'.length).split('.');
      return this.#find(group.join('.'), resource);
    }
    if (PLAIN.has(limit)) return { group: '', version: 'v1', resource: limit };
    if (limit.startsWith('services.')) return SERVICES;
    if (limit === 'requests.storage' || limit.includes('.storageclass.storage.k8s.io/')) return PERSISTENT_VOLUME_CLAIMS;
    return POD_AMOUNT.test(limit) ? PODS : undefined;
  }

  async #find(group: string, resource: string): Promise<ResourceRef | undefined> {
    const look = (): ResourceRef | undefined => this.#served.find((one) => one.group === group && one.resource === resource);
    if (!look() && Date.now() - this.#askedAt > STALE_MS) {
      this.#served = (await discover(this.#client())).resources.filter(({ clusterScoped }) => !clusterScoped);
      this.#askedAt = Date.now();
    }
    return look();
  }
}

import type { ApiReader, AuthzAttributes, AuthzDecision, ClusterSettings } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { ResourceCache } from './cache/resource-cache.ts';
import type { WatchCache } from './cache/watch-cache.ts';
import type { Registry } from './registry.ts';

/** The cache as strategies, admission plugins and authorizers see it: parsed objects that they must not change. */
export class CacheReader implements ApiReader {
  readonly cluster: ClusterSettings;
  readonly #cache: WatchCache;
  readonly #authorize: (attributes: AuthzAttributes) => AuthzDecision | Promise<AuthzDecision>;
  readonly #registry: () => Registry;

  constructor(
    cache: WatchCache,
    cluster: ClusterSettings,
    authorize: (attributes: AuthzAttributes) => AuthzDecision | Promise<AuthzDecision>,
    registry: () => Registry,
  ) {
    this.#cache = cache;
    this.cluster = cluster;
    this.#authorize = authorize;
    this.#registry = registry;
  }

  get<T extends KubeObject>(group: string, resource: string, namespace: string, name: string): T | undefined {
    const cache = this.#of(group, resource);
    const entry = cache.entries.get(namespace ? `${cache.prefix}${namespace}/${name}` : `${cache.prefix}${name}`);
    return entry?.object as T | undefined;
  }

  list<T extends KubeObject>(group: string, resource: string, namespace = ''): T[] {
    return this.#of(group, resource).objects(namespace) as T[];
  }

  onChange(group: string, resource: string, listener: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void): () => void {
    return this.#of(group, resource).listen((events) => {
      for (const { entry, previous } of events) {
        if (entry) listener(previous ? 'MODIFIED' : 'ADDED', entry.object);
        else if (previous) listener('DELETED', previous.object);
      }
    });
  }

  async fresh(): Promise<void> {
    await this.#cache.fresh();
  }

  resourceOf(apiVersion: string, kind: string): { group: string; resource: string; namespaced: boolean } | undefined {
    for (const resource of this.#registry().resources) {
      if (resource.kind !== kind || resource.apiVersion !== apiVersion) continue;
      return { group: resource.group, resource: resource.plural, namespaced: resource.namespaced };
    }
    return undefined;
  }

  async authorize(attributes: AuthzAttributes): Promise<AuthzDecision> {
    return this.#authorize(attributes);
  }

  #of(group: string, resource: string): ResourceCache {
    return this.#cache.resource(`${(this.#registry().any(group, resource)?.definition.storedAs?.group ?? group) || 'core'}/${resource}/`);
  }
}

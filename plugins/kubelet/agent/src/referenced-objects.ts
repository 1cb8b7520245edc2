import type { ConfigMap, KubeObject, Pod, ResourceRef, Secret } from '@kubernel/sdk/api';
import { type Client, CONFIG_MAPS, createInformer, type RunningInformer, SECRETS } from '@kubernel/sdk/client';
import type { ConfigMapSource, EnvFrom, ProjectedSource, SecretSource } from './pod-fields.ts';
import { envSource, uidOf } from './pod-fields.ts';

interface Watched {
  informer: RunningInformer;
  users: Set<string>;
}

/**
 * The config maps and secrets that pods of this agent refer to, each followed by a watch of its own while a pod uses it:
 * all that a node may read of them, and changes reach mounted volumes at once.
 */
export class ReferencedObjects {
  readonly #client: Client;
  readonly #changed: (uid: string) => void;
  readonly #watched = new Map<string, Watched>();
  readonly #byPod = new Map<string, Set<string>>();

  /** `changed` is called with the uid of each pod that uses an object that changed. */
  constructor(client: Client, changed: (uid: string) => void) {
    this.#client = client;
    this.#changed = changed;
  }

  /** Starts to follow what a pod refers to. */
  register(pod: Pod): void {
    const uid = uidOf(pod);
    if (this.#byPod.has(uid)) return;
    const keys = new Set<string>();
    this.#byPod.set(uid, keys);
    const namespace = pod.metadata.namespace ?? '';
    for (const [kind, name] of references(pod)) {
      const key = `${kind}/${namespace}/${name}`;
      keys.add(key);
      this.#watch(key, kind, namespace, name).users.add(uid);
    }
  }

  unregister(uid: string): void {
    for (const key of this.#byPod.get(uid) ?? []) {
      const watched = this.#watched.get(key);
      watched?.users.delete(uid);
      if (watched && watched.users.size === 0) {
        watched.informer.stop();
        this.#watched.delete(key);
      }
    }
    this.#byPod.delete(uid);
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#get<ConfigMap>('configMap', namespace, name);
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#get<Secret>('secret', namespace, name);
  }

  stop(): void {
    for (const { informer } of this.#watched.values()) informer.stop();
    this.#watched.clear();
  }

  async #get<T extends KubeObject>(kind: Kind, namespace: string, name: string): Promise<T | undefined> {
    const { informer } = this.#watch(`${kind}/${namespace}/${name}`, kind, namespace, name);
    await informer.synced();
    return informer.get(`${namespace}/${name}`) as T | undefined;
  }

  #watch(key: string, kind: Kind, namespace: string, name: string): Watched {
    let watched = this.#watched.get(key);
    if (!watched) {
      const informer = createInformer(this.#client, RESOURCES[kind], { namespace, fieldSelector: `metadata.name=${name}` });
      const entry: Watched = { informer, users: new Set() };
      const tell = (): void => {
        if (informer.hasSynced) for (const uid of entry.users) this.#changed(uid);
      };
      informer.on({ add: tell, update: tell, delete: tell });
      this.#watched.set(key, (watched = entry));
    }
    return watched;
  }
}

type Kind = 'configMap' | 'secret';
const RESOURCES: Readonly<Record<Kind, ResourceRef>> = { configMap: CONFIG_MAPS, secret: SECRETS };

export function* references(pod: Pod): Generator<[kind: Kind, name: string]> {
  for (const { name } of pod.spec.imagePullSecrets ?? []) if (name) yield ['secret', name];
  for (const volume of pod.spec.volumes ?? []) {
    const { configMap, secret, projected } = volume as {
      configMap?: ConfigMapSource;
      secret?: SecretSource;
      projected?: { sources?: ProjectedSource[] };
    };
    if (configMap?.name) yield ['configMap', configMap.name];
    if (secret?.secretName) yield ['secret', secret.secretName];
    for (const source of projected?.sources ?? []) {
      if (source.configMap?.name) yield ['configMap', source.configMap.name];
      if (source.secret?.name) yield ['secret', source.secret.name];
    }
  }
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    for (const { configMapRef, secretRef } of (container.envFrom ?? []) as EnvFrom[]) {
      if (configMapRef?.name) yield ['configMap', configMapRef.name];
      if (secretRef?.name) yield ['secret', secretRef.name];
    }
    for (const env of container.env ?? []) {
      const source = envSource(env);
      if (source?.configMapKeyRef?.name) yield ['configMap', source.configMapKeyRef.name];
      if (source?.secretKeyRef?.name) yield ['secret', source.secretKeyRef.name];
    }
  }
}

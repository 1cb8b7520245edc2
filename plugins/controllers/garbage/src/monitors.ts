import type { Logger } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { type Client, type DiscoveredResource, discover, reflect, resourceName, sleep } from '@kubernel/sdk/client';
import type { OwnerGraph } from './graph.ts';

const DISCOVER_MS = 30_000;
/** After a change of what is served (a new custom resource): its first objects may already have owners. */
const SETTLE_MS = 200;

export interface MonitorOptions {
  client: Client;
  graph: OwnerGraph;
  signal: AbortSignal;
  log: Logger;
}

/**
 * Follows the metadata of every resource that can be listed, watched and deleted, and finds new ones. Only what the graph
 * needs of an object is kept.
 */
export class Monitors {
  readonly #options: MonitorOptions;
  readonly #running = new Map<string, { stop: AbortController; synced: Promise<void> }>();
  /** `group/kind` -> resource, of all that discovery named. */
  #byKind = new Map<string, DiscoveredResource>();
  #wake: (() => void) | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /** The resource of an owner reference; undefined when nothing of that kind is served. */
  resourceOf(apiVersion: string, kind: string): DiscoveredResource | undefined {
    const slash = apiVersion.indexOf('/');
    const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
    const resource = this.#byKind.get(`${group}/${kind}`);
    return resource && { ...resource, version };
  }

  /** The first round: resolves when the graph has all that is there. Then goes on in the background. */
  async start(): Promise<void> {
    const { signal, log } = this.#options;
    for (;;) {
      try {
        await this.#round();
        break;
      } catch (error) {
        log.warn('discovery failed, it is tried again', { error: String(error) });
        await sleep(1000, signal);
        if (signal.aborted) return;
      }
    }
    await Promise.all([...this.#running.values()].map(({ synced }) => synced));
    void this.#keepDiscovering();
  }

  /** What is served may have changed: look soon. */
  rediscover(): void {
    this.#wake?.();
  }

  async #keepDiscovering(): Promise<void> {
    const { signal, log } = this.#options;
    while (!signal.aborted) {
      await Promise.race([
        sleep(DISCOVER_MS, signal),
        new Promise<void>((resolve) => (this.#wake = resolve)).then(() => sleep(SETTLE_MS, signal)),
      ]);
      if (signal.aborted) return;
      try {
        await this.#round();
      } catch (error) {
        log.warn('discovery failed, what is known is followed on', { error: String(error) });
      }
    }
  }

  async #round(): Promise<void> {
    const { resources, stale } = await discover(this.#options.client);
    const byKind = new Map(resources.map((resource) => [`${resource.group}/${resource.kind}`, resource]));
    const wanted = new Map(resources.filter(isCollectable).map((resource) => [resourceName(resource), resource]));
    for (const [name, resource] of wanted) if (!this.#running.has(name)) this.#running.set(name, this.#follow(resource));
    for (const [name, { stop }] of this.#running) {
      // A group that does not answer just now keeps its nodes: what it serves is not known to be gone.
      const group = name.slice(name.indexOf('.') + 1);
      if (wanted.has(name) || stale.some((version) => version.startsWith(`${group}/`))) continue;
      stop.abort();
      this.#running.delete(name);
    }
    if (stale.length > 0) for (const [kind, resource] of this.#byKind) if (!byKind.has(kind)) byKind.set(kind, resource);
    this.#byKind = byKind;
  }

  #follow(resource: DiscoveredResource): { stop: AbortController; synced: Promise<void> } {
    const { client, graph, log } = this.#options;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, stop.signal]);
    const synced = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => synced.resolve(), { once: true });
    const uids = new Set<string>();
    const changesWhatIsServed = resource.resource === 'customresourcedefinitions' || resource.resource === 'apiservices';
    const remove = (uid: string): void => {
      if (uids.delete(uid)) graph.delete(uid);
    };
    void reflect<KubeObject>(
      client,
      resource,
      {
        replace: (objects) => {
          const gone = new Set(uids);
          for (const object of objects) {
            gone.delete(object.metadata.uid ?? '');
            uids.add(object.metadata.uid ?? '');
            graph.set(resource, object);
          }
          for (const uid of gone) remove(uid);
          synced.resolve();
        },
        apply: (events) => {
          for (const { type, object } of events) {
            if (type === 'DELETED') {
              remove(object.metadata.uid ?? '');
            } else {
              uids.add(object.metadata.uid ?? '');
              graph.set(resource, object);
            }
          }
          if (changesWhatIsServed) this.rediscover();
        },
        advance: () => undefined,
      },
      {
        signal,
        metadataOnly: true,
        onError: (error, retryInMs) => {
          log.debug(`cannot follow ${resourceName(resource)}`, { error: String(error), retryInMs });
          // One resource that cannot be read (a custom one without a definition any more) must not hold up all others.
          synced.resolve();
        },
      },
    ).then(() => {
      // No longer served: its objects are nobody's owners any more.
      if (stop.signal.aborted) for (const uid of [...uids]) remove(uid);
    });
    return { stop, synced: synced.promise };
  }
}

const VERBS = ['list', 'watch', 'delete'];

/** Events own nothing, are owned by nothing, and come in great numbers. */
function isCollectable({ resource, verbs }: DiscoveredResource): boolean {
  return resource !== 'events' && VERBS.every((verb) => verbs.includes(verb));
}

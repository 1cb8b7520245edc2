import type { KubeObject, ResourceRef } from '../api/object.ts';
import type { Logger } from '../define.ts';
import type { Client } from './client.ts';
import { createInformer, type Informer, type InformerOptions, type RunningInformer } from './informer.ts';

/** One informer for each resource and selection, however many parts of a plugin ask for it. */
export interface SharedInformers {
  /** Starts it on first use. Indexes of later calls are added to it; other options count on the first call. */
  get<T extends KubeObject>(resource: ResourceRef, options?: InformerOptions<T>): Informer<T>;
  /** Resolves when all that were asked for so far have their first list. */
  synced(): Promise<void>;
  stop(): void;
}

export interface SharedInformersOptions {
  signal?: AbortSignal;
  log?: Logger;
  /** For informers that do not say: see {@link InformerOptions.resyncMs}. */
  resyncMs?: number;
}

/** @example
 * const informers = createSharedInformers(ctx.client(), { signal: ctx.signal, log: ctx.log });
 * const pods = informers.get<Pod>(PODS, { indexes: { node: (pod) => [pod.spec.nodeName ?? ''] } });
 * await informers.synced();
 */
export function createSharedInformers(client: Client, options: SharedInformersOptions = {}): SharedInformers {
  const running = new Map<string, RunningInformer>();
  return {
    get<T extends KubeObject>(resource: ResourceRef, informerOptions: InformerOptions<T> = {}): Informer<T> {
      const { namespace = '', labelSelector = '', fieldSelector = '' } = informerOptions;
      const key = [resource.group, resource.version, resource.resource, namespace, labelSelector, fieldSelector].join('|');
      let informer = running.get(key) as RunningInformer<T> | undefined;
      if (!informer) {
        informer = createInformer<T>(client, resource, {
          ...(options.signal ? { signal: options.signal } : {}),
          ...(options.resyncMs ? { resyncMs: options.resyncMs } : {}),
          onError: (error, message, isBrief) =>
            options.log?.[isBrief ? 'debug' : 'warn'](message, { error: error instanceof Error ? error.message : String(error) }),
          ...informerOptions,
        });
        running.set(key, informer as unknown as RunningInformer);
      }
      for (const [name, values] of Object.entries(informerOptions.indexes ?? {})) informer.addIndex(name, values);
      return informer;
    },
    async synced() {
      await Promise.all([...running.values()].map((informer) => informer.synced()));
    },
    stop() {
      for (const informer of running.values()) informer.stop();
    },
  };
}

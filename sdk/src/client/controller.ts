import type { PluginContext } from '../define.ts';
import type { Client } from './client.ts';
import { createEventRecorder, type EventRecorder } from './events.ts';
import { createReconciler, type Reconcile, type Reconciler, type ReconcilerOptions } from './reconciler.ts';
import { createSharedInformers, type SharedInformers } from './shared-informers.ts';

/** What a controller plugin is made of, all of it ended by the context. */
export interface ControllerParts {
  client: Client;
  informers: SharedInformers;
  events: EventRecorder;
  /** A reconciler with the plugin's logs and metrics; its defects are reported to the host. Start it with {@link run}. */
  reconciler(name: string, reconcile: Reconcile, options?: Partial<ReconcilerOptions>): Reconciler;
  /** Starts the reconcilers when the informers are filled. Returns the plugin's contract, whose check waits for that. */
  run(...reconcilers: Reconciler[]): { check(): string | undefined };
}

/**
 * @example
 * start(ctx) {
 *   const parts = controllerParts(ctx, 'hello-controller');
 *   const pods = parts.informers.get<Pod>(PODS);
 *   const reconciler = parts.reconciler('hello', async (key) => ctx.log.info('pod', { phase: pods.get(key)?.status?.phase }));
 *   reconciler.watch(pods);
 *   return parts.run(reconciler);
 * }
 */
export function controllerParts<C>(ctx: PluginContext<C>, component: string): ControllerParts {
  const client = ctx.client();
  const informers = createSharedInformers(client, { signal: ctx.signal, log: ctx.log });
  ctx.defer(() => informers.stop());
  const events = createEventRecorder(client, { component, log: ctx.log });
  let waiting: string | undefined = 'its informers are being filled';
  return {
    client,
    informers,
    events,
    reconciler(name, reconcile, options = {}) {
      let degradedBy: string | undefined;
      const reconciler = createReconciler({
        name,
        signal: ctx.signal,
        log: ctx.log,
        metrics: ctx.metrics,
        async reconcile(key, signal) {
          const result = await reconcile(key, signal);
          if (degradedBy === key) {
            degradedBy = undefined;
            ctx.report('ok', `${name}: ${key} is reconciled again`);
          }
          return result;
        },
        onPanic(key, error) {
          degradedBy = key;
          ctx.report('degraded', `${name}: ${key}: ${error instanceof Error ? error.message : String(error)}`);
        },
        ...options,
      });
      ctx.defer(() => reconciler.stop());
      return reconciler;
    },
    run(...reconcilers) {
      informers
        .synced()
        .then(async () => {
          await Promise.all(reconcilers.map((reconciler) => reconciler.start()));
          waiting = undefined;
        })
        .catch((error: unknown) => {
          waiting = error instanceof Error ? error.message : String(error);
        });
      return { check: () => waiting };
    },
  };
}

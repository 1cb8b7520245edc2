import { type Controller, definePlugin } from '@kubernel/sdk';
import { createSharedInformers } from '@kubernel/sdk/client';
import type { SchedulerConfig } from './config.ts';
import { Scheduler } from './scheduler.ts';

/**
 * The scheduler. It holds the queue and the cluster's columns and runs each pod through the cycle (see cycle.ts); what a
 * pod needs and which node is better is decided by the `scheduler-policy/v1` extensions the config names.
 */
export default definePlugin<'scheduler/v1', SchedulerConfig>('scheduler/v1', 'default', {
  async start(ctx): Promise<Controller> {
    const client = ctx.client();
    const informers = createSharedInformers(client, { signal: ctx.signal, log: ctx.log });
    ctx.defer(() => informers.stop());
    const scheduler = new Scheduler(ctx.config, {
      client,
      informers,
      policies: ctx.extensions('scheduler-policy/v1'),
      log: ctx.log,
      metrics: ctx.metrics,
      signal: ctx.signal,
    });
    void scheduler.start().catch((error: unknown) => {
      if (!ctx.signal.aborted)
        ctx.report('degraded', `the scheduler could not start: ${error instanceof Error ? error.message : String(error)}`);
    });
    return { check: () => (scheduler.started ? undefined : 'nodes and pods are not listed yet') };
  },
});

export type { ProfileConfig, SchedulerConfig } from './config.ts';
export { SchedulingQueue } from './queue/scheduling-queue.ts';
export { Scheduler } from './scheduler.ts';

import { definePlugin } from '@kubernel/sdk';
import { type SimConfig, SimRuntime } from './runtime.ts';

/** cri/sim: a runtime whose containers are entries in a table. It says so: its runtime name is `kubernel-sim`. */
export default definePlugin<'cri/v1', SimConfig>('cri/v1', 'sim', {
  async start(ctx) {
    const runtime = new SimRuntime(ctx.config, true);
    ctx.defer(() => runtime.shutdown());
    return runtime;
  },
});

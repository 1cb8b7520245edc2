import { type CniDriver, definePlugin, type Kubelet, type PluginContext } from '@kubernel/sdk';
import { Agent } from './agent.ts';
import type { AgentConfig } from './settings.ts';

/**
 * kubelet/agent: the node agent. What happens to one pod reads in sync-pod.ts and terminate-pod.ts; what a node says of
 * itself in node-object.ts and node-heartbeat.ts.
 */
export default definePlugin<'kubelet/v1', AgentConfig>('kubelet/v1', 'agent', {
  async start(ctx): Promise<Kubelet> {
    const agent = new Agent(ctx, ctx.use('cri/v1', ctx.config.cri), cniDriver(ctx));
    ctx.defer(() => agent.stop());
    await agent.start();
    return {
      check: () => agent.notReady,
      shutdown: () => agent.shutdown(),
    };
  },
});

function cniDriver(ctx: PluginContext<AgentConfig>): CniDriver | undefined {
  if (ctx.config.cni === '') return undefined;
  try {
    return ctx.use('cni/v1', ctx.config.cni);
  } catch {
    return undefined;
  }
}

import { join } from 'node:path';
import { type CniDriver, definePlugin, type Kubelet, type PluginContext } from '@kubernel/sdk';
import { Agent } from './agent.ts';
import { messageOf } from './errors.ts';
import { hostAddress, inspectMachine } from './machine.ts';
import { Access } from './server/access.ts';
import { servingCertificate } from './server/certificate.ts';
import { KubeletApi } from './server/kubelet-api.ts';
import { rotateLog } from './server/log-rotation.ts';
import type { AgentConfig } from './settings.ts';

const DEFAULT_PORT = 10_250;
const ROTATION_CHECK_MS = 10_000;

/**
 * kubelet/agent: the node agent. What happens to one pod reads in sync-pod.ts and terminate-pod.ts; what a node says of
 * itself in node-object.ts and node-heartbeat.ts; what it serves in server/kubelet-api.ts.
 */
export default definePlugin<'kubelet/v1', AgentConfig>('kubelet/v1', 'agent', {
  async start(ctx): Promise<Kubelet> {
    const agent = new Agent(ctx, ctx.use('cri/v1', ctx.config.cri), cniDriver(ctx));
    ctx.defer(() => agent.stop());
    await serve(ctx, agent);
    await agent.start();
    if (!agent.context.simulated) rotateLogs(ctx, agent);
    return {
      check: () => agent.notReady,
      shutdown: () => agent.shutdown(),
    };
  },
});

/** Before the node is registered: its object names the port. */
async function serve(ctx: PluginContext<AgentConfig>, agent: Agent): Promise<void> {
  const { config } = ctx;
  const name = config.nodeName ?? inspectMachine(ctx.dataDir).hostname;
  const names = [name, 'localhost', '127.0.0.1', config.nodeIP ?? hostAddress()];
  const certificate = await servingCertificate(join(ctx.dataDir, 'pki'), join(ctx.pluginDir, 'pki'), name, names);
  if (!certificate) {
    ctx.log.warn('the kubelet API is not served: the cluster CA is not on this machine', { pki: join(ctx.dataDir, 'pki') });
    return;
  }
  const api = new KubeletApi(agent, new Access(ctx.client()), certificate);
  ctx.defer(() => api.close());
  agent.announce(await api.listen(config.port ?? DEFAULT_PORT));
}

function rotateLogs(ctx: PluginContext<AgentConfig>, agent: Agent): void {
  const { config, log } = ctx;
  const limits = { maxSizeBytes: config.containerLogMaxSizeBytes ?? 10 << 20, maxFiles: config.containerLogMaxFiles ?? 5 };
  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    for (const [id, { logPath }] of agent.runningContainers()) {
      await rotateLog(agent.context.cri, id, logPath, limits).catch((error: unknown) =>
        log.warn('a log was not rotated', { file: logPath, error: messageOf(error) }),
      );
    }
    busy = false;
  }, ROTATION_CHECK_MS);
  ctx.defer(() => clearInterval(timer));
}

function cniDriver(ctx: PluginContext<AgentConfig>): CniDriver | undefined {
  if (ctx.config.cni === '') return undefined;
  try {
    return ctx.use('cni/v1', ctx.config.cni);
  } catch {
    return undefined;
  }
}

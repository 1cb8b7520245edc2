import type { ContainerConfig, PodSandboxConfig } from '@kubernel/sdk';
import { describe, expect, it } from 'vitest';
import { AddressPool } from './addresses.ts';
import { behaviour } from './behaviour.ts';
import { SimRuntime } from './runtime.ts';

const sandbox = {
  metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 },
  labels: {},
  annotations: {},
  logDirectory: '',
  linux: { cgroupParent: '' },
} as unknown as PodSandboxConfig;
const container = (command: string[]) =>
  ({
    metadata: { name: 'c', attempt: 0 },
    image: { image: 'i' },
    command,
    args: [],
    labels: {},
    annotations: {},
    logPath: '',
  }) as unknown as ContainerConfig;

describe('simulated containers', () => {
  it('say that they are simulated', async () => {
    expect(await new SimRuntime({}, false).version()).toMatchObject({ runtimeName: 'kubernel-sim' });
    await expect(new SimRuntime({}, false).exec()).rejects.toMatchObject({ code: 'ERR_CRI_SIMULATED' });
  });

  it('run until they are stopped, or as long as their command says', async () => {
    const sim = new SimRuntime({}, false);
    const { podSandboxId } = await sim.runPodSandbox({ config: sandbox });
    const ids = await Promise.all(
      [['server'], ['sh', '-c', 'exit 4']].map((command) => sim.createContainer({ podSandboxId, config: container(command) })),
    );
    for (const id of ids) await sim.startContainer(id);
    await expect.poll(() => sim.containerStatus(ids[1]!)).toMatchObject({ state: 'CONTAINER_EXITED', exitCode: 4, reason: 'Error' });
    expect(await sim.containerStatus(ids[0]!)).toMatchObject({ state: 'CONTAINER_RUNNING' });
    await sim.stopPodSandbox({ podSandboxId });
    expect(await sim.containerStatus(ids[0]!)).toMatchObject({ state: 'CONTAINER_EXITED', exitCode: 137 });
    await sim.removePodSandbox({ podSandboxId });
    await expect(sim.containerStatus(ids[0]!)).rejects.toMatchObject({ code: 'ERR_CRI_NOT_FOUND' });
  });

  it("follow their pod's annotations before their command", () => {
    expect(behaviour({ 'sim.kubernel.dev/run-ms': '50', 'sim.kubernel.dev/exit-code': '2' }, ['true'])).toEqual({
      exitAfterMs: 50,
      exitCode: 2,
    });
    expect(behaviour({}, ['sleep', '1.5'])).toEqual({ exitAfterMs: 1500, exitCode: 0 });
    expect(behaviour({}, ['sh', '-c', 'while true; do sleep 1; done'])).toEqual({ exitAfterMs: undefined, exitCode: 0 });
  });
});

describe('simulated addresses', () => {
  it('are used again only after all others, and run out with an error', () => {
    const pool = new AddressPool('10.0.0.0/29');
    const first = pool.take();
    expect(first).toBe('10.0.0.1');
    pool.release(first);
    expect(Array.from({ length: 6 }, () => pool.take())).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.1']);
    expect(() => pool.take()).toThrow('every simulated address is in use');
  });
});

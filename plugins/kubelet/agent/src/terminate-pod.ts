import { rm } from 'node:fs/promises';
import { isCode, statusCode } from '@kubernel/sdk';
import type { Container, Pod } from '@kubernel/sdk/api';
import { PODS } from '@kubernel/sdk/client';
import { messageOf } from './errors.ts';
import { runHook } from './hooks.ts';
import type { Lifecycle } from './pod-fields.ts';
import { isSidecar } from './pod-status.ts';
import type { PodWorker } from './pod-worker.ts';
import type { KnownContainer } from './runtime-cache.ts';
import { podLogDirectory } from './sandbox-config.ts';

/** A pod removed by force gets this long to end, in seconds: nobody waits for it any more. */
const FORCED_GRACE_SECONDS = 2;

/**
 * A pod that was deleted, in the order in which it goes (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination):
 *
 *   containers (preStop, stop signal, kill) -> sidecars, last one first -> sandbox -> volumes -> final status -> the object
 *
 * Idempotent: after a failure the next call goes on where it stopped.
 */
export async function terminatePod(worker: PodWorker): Promise<void> {
  const { agent } = worker.node;
  const { pod, uid } = worker;
  const grace =
    pod.metadata.deletionGracePeriodSeconds ?? (worker.removed ? FORCED_GRACE_SECONDS : (pod.spec.terminationGracePeriodSeconds ?? 30));
  await endContainers(worker, grace);
  for (const { id: podSandboxId } of worker.runtime.sandboxes) await agent.cri.stopPodSandbox({ podSandboxId });
  await agent.volumes.remove(uid);
  agent.cgroups?.remove(pod);
  worker.ended = true;
  if (!worker.removed) {
    worker.publish();
    await worker.status.flush();
    await deleteObject(worker, pod);
  }
  for (const containerId of [...worker.runtime.containers.keys()]) await agent.cri.removeContainer({ containerId });
  for (const { id: podSandboxId } of worker.runtime.sandboxes) await agent.cri.removePodSandbox({ podSandboxId });
  agent.cache.forget(uid);
  await rm(podLogDirectory(agent.logsDir, pod), { recursive: true, force: true });
  worker.done = true;
}

/** Ends every container that runs: the pod's own together, then sidecars in reverse order with what is left of the grace period. */
export async function endContainers(worker: PodWorker, graceSeconds: number): Promise<void> {
  const { pod, runtime } = worker;
  worker.probes.stop();
  const until = Date.now() + graceSeconds * 1000;
  const running = [...runtime.containers.values()].filter(({ state }) => state === 'CONTAINER_RUNNING' || state === 'CONTAINER_UNKNOWN');
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const isOfSidecar = ({ metadata }: KnownContainer): boolean => sidecars.some(({ name }) => name === metadata.name);
  const end = async (status: KnownContainer, container: Container): Promise<void> => {
    const leftSeconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    await killContainer(worker, container, status.id, leftSeconds, `Stopping container ${container.name}`);
  };
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  await Promise.all(
    running
      .filter((status) => !isOfSidecar(status))
      .map((status) => end(status, all.find(({ name }) => name === status.metadata.name) ?? { name: status.metadata.name })),
  );
  for (const container of sidecars.toReversed()) {
    for (const status of running.filter(({ metadata }) => metadata.name === container.name)) await end(status, container);
  }
}

/** preStop, then the runtime's stop: signal, and SIGKILL when the grace period is over. The hook's time counts. */
export async function killContainer(
  worker: PodWorker,
  container: Container,
  containerId: string,
  graceSeconds: number,
  message: string,
): Promise<void> {
  const { cri, cache, simulated } = worker.node.agent;
  worker.event('Normal', 'Killing', message, container);
  const until = Date.now() + graceSeconds * 1000;
  const { preStop } = (container.lifecycle ?? {}) as Lifecycle;
  if (preStop && graceSeconds > 0 && !simulated) {
    try {
      await runHook(preStop, { cri, container, containerId, podIP: worker.podIPs[0] ?? '' }, graceSeconds * 1000);
    } catch (error) {
      worker.event('Warning', 'FailedPreStopHook', 'PreStopHook failed', container);
      worker.node.agent.log.debug('a preStop hook failed', { container: container.name, error: messageOf(error) });
    }
  }
  // Two seconds at least, as every kubelet gives: to handle the signal after a hook that took all the time.
  const timeout = graceSeconds === 0 ? 0 : Math.max(2, Math.ceil((until - Date.now()) / 1000));
  await cri.stopContainer({ containerId, timeout }).catch((error: unknown) => {
    if (!isCode(error, 'ERR_CRI_NOT_FOUND')) throw error;
  });
  await cache.refreshContainer(worker.uid, containerId);
}

async function deleteObject(worker: PodWorker, pod: Pod): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata;
  try {
    await worker.node.agent.client.delete(PODS, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid: worker.uid } });
  } catch (error) {
    // 404: somebody was faster. 409: a new pod of that name is there already.
    if (statusCode(error) !== 404 && statusCode(error) !== 409) throw error;
  }
}

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { CriRuntime } from '@kubernel/sdk';
import type { Container, ContainerStatus, Pod } from '@kubernel/sdk/api';
import { containerConfig } from './container-config.ts';
import { goDuration } from './crash-backoff.ts';
import { ContainerWaiting, messageOf } from './errors.ts';
import { runHook } from './hooks.ts';
import { CONTAINER_HASH } from './labels.ts';
import { type Lifecycle, podFormat } from './pod-fields.ts';
import { historyOf, isSidecar } from './pod-status.ts';
import type { PodWorker } from './pod-worker.ts';
import type { KnownContainer } from './runtime-cache.ts';
import { sandboxConfig } from './sandbox-config.ts';
import { endContainers, killContainer } from './terminate-pod.ts';
import type { PayloadInputs } from './volumes/payload.ts';

/**
 * One pass over one pod, in the order in which a pod comes to life:
 *
 *   volumes, prepared while the sandbox starts -> sandbox -> init containers, one after the other -> containers
 *
 * Each step looks at what the runtime has and does what is missing, so that the same pass starts a pod, restarts a container,
 * replaces a lost sandbox, and adopts what an earlier kubelet left running. Returns after how many milliseconds something is
 * due (a restart after its backoff), or undefined.
 */
export async function syncPod(worker: PodWorker): Promise<number | undefined> {
  const due = new Due();
  if (isOver(worker)) return endPod(worker);
  const deadline = checkDeadline(worker, due);
  if (deadline) return endPod(worker, deadline);

  // So that `kubectl get pods -w` shows ContainerCreating while the slow parts run.
  if (!worker.runtime.containers.size) worker.publish();

  const volumes = prepareVolumes(worker);
  volumes.catch(() => {});
  const sandboxId = await ensureSandbox(worker);
  if (sandboxId === undefined) return endPod(worker);
  await volumes;

  const initialized = await runInitContainers(worker, sandboxId, due);
  if (initialized) {
    for (const container of worker.pod.spec.containers) {
      if (worker.signal.aborted) break;
      await runContainer(worker, sandboxId, container, due);
    }
  }
  for (const container of worker.pod.spec.ephemeralContainers ?? []) {
    // Started once, for whoever debugs; never again (KEP-277).
    if (!worker.signal.aborted && !historyOf(worker.runtime, container.name).length)
      await startContainer(worker, sandboxId, container, undefined, due);
  }
  if (worker.signal.aborted) return 0;
  // A pod whose last container just ended is over now, not at the next pass.
  if (isOver(worker)) return endPod(worker);
  worker.publish();
  await removeHistory(worker);
  return due.ms();
}

// ---------------------------------------------------------------------------------------------------- the whole pod

/** Finished by itself: no container runs and none may start again. */
function isOver(worker: PodWorker): boolean {
  const { pod, runtime } = worker;
  if (worker.ended || worker.failure) return true;
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return true;
  const { restartPolicy = 'Always', initContainers = [] } = pod.spec;
  if (restartPolicy === 'Always') return false;
  const last = (container: Container): KnownContainer | undefined => historyOf(runtime, container.name)[0];
  const finished = (container: Container): boolean => {
    const status = last(container);
    return status?.state === 'CONTAINER_EXITED' && !mayRestart(pod, status);
  };
  if (pod.spec.containers.every(finished)) return true;
  return initContainers.some((container) => !isSidecar(container) && finished(container) && last(container)?.exitCode !== 0);
}

/** Gives back what a pod that is over holds, and says how it ended. Its containers stay, for their logs. */
async function endPod(worker: PodWorker, failure?: { reason: string; message: string }): Promise<undefined> {
  const { agent } = worker.node;
  const decided = worker.pod.status;
  if (!worker.ended) {
    if (failure) worker.failure = failure;
    else if (decided?.phase === 'Failed' && decided.reason) worker.failure = { reason: decided.reason, message: decided.message ?? '' };
    await endContainers(worker, worker.pod.spec.terminationGracePeriodSeconds ?? 30);
    await Promise.all(worker.runtime.sandboxes.map(({ id }) => stopSandbox(worker, id)));
    await agent.volumes.remove(worker.uid);
    agent.cgroups?.remove(worker.pod);
    worker.ended = true;
  }
  // What was decided before this kubelet started stands: its containers may be gone by now, and with them how they ended.
  if (decided?.phase !== 'Succeeded' && decided?.phase !== 'Failed') worker.publish();
  return undefined;
}

function checkDeadline(worker: PodWorker, due: Due): { reason: string; message: string } | undefined {
  const { activeDeadlineSeconds } = worker.pod.spec;
  if (!activeDeadlineSeconds) return undefined;
  const leftMs = Date.parse(worker.startTime) + activeDeadlineSeconds * 1000 - Date.now();
  if (leftMs > 0) {
    due.in(leftMs);
    return undefined;
  }
  const failure = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
  worker.event('Normal', failure.reason, failure.message);
  return failure;
}

/** Of each container the current and the one before are kept: for its last state, and `kubectl logs --previous`. */
async function removeHistory(worker: PodWorker): Promise<void> {
  const { cri, cache, simulated } = worker.node.agent;
  const { pod, runtime } = worker;
  for (const { name } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    for (const { id, logPath } of historyOf(runtime, name).slice(2)) {
      await cri.removeContainer({ containerId: id });
      if (!simulated && logPath) await rm(logPath, { force: true });
      await cache.refreshContainer(worker.uid, id);
    }
  }
  const used = new Set([...runtime.containers.values()].map(({ podSandboxId }) => podSandboxId));
  for (const { id } of runtime.sandboxes.slice(1)) {
    if (used.has(id)) continue;
    await cri.removePodSandbox({ podSandboxId: id });
    await cache.refreshSandbox(worker.uid, id);
  }
}

// ---------------------------------------------------------------------------------------------------- volumes

async function prepareVolumes(worker: PodWorker): Promise<void> {
  if (worker.volumes && !worker.volumesDirty) return;
  worker.volumesDirty = false;
  try {
    worker.volumes = await worker.node.agent.volumes.prepare(payloadInputs(worker));
  } catch (error) {
    worker.volumesDirty = true;
    worker.event('Warning', 'FailedMount', messageOf(error));
    throw error;
  }
}

export function payloadInputs(worker: PodWorker): PayloadInputs {
  const { agent, hostIPs, allocatable } = worker.node;
  return {
    pod: worker.pod,
    podIPs: worker.podIPs,
    hostIPs,
    allocatable,
    configMap: (namespace, name) => agent.objects.configMap(namespace, name),
    secret: (namespace, name) => agent.objects.secret(namespace, name),
    token: (pod, audience, expirationSeconds) => agent.tokens.get(pod, audience, expirationSeconds),
  };
}

// ---------------------------------------------------------------------------------------------------- the sandbox

/** The id of a sandbox that is ready. */
async function ensureSandbox(worker: PodWorker): Promise<string | undefined> {
  const { agent, name: nodeName } = worker.node;
  const { cri, cache, logsDir, cgroupRoot, cluster, hostDns } = agent;
  const { runtime, pod } = worker;
  const newest = runtime.sandboxes[0];
  if (newest?.state === 'SANDBOX_READY') {
    if (!runtime.ips.length && !pod.spec.hostNetwork) await cache.refreshSandbox(worker.uid, newest.id);
    return newest.id;
  }
  if (newest) {
    worker.event('Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    for (const { id } of runtime.sandboxes) await stopSandbox(worker, id);
    for (const id of runtime.containers.keys()) await cache.refreshContainer(worker.uid, id);
    runtime.ips = [];
    if (isOver(worker)) return undefined;
  }
  const config = sandboxConfig({ pod, nodeName, attempt: (newest?.metadata.attempt ?? -1) + 1, logsDir, cgroupRoot, cluster, hostDns });
  try {
    const runtimeHandler = pod.spec.runtimeClassName;
    const { podSandboxId } = await cri.runPodSandbox({ config, ...(runtimeHandler ? { runtimeHandler } : {}) });
    agent.cgroups?.limit(pod);
    agent.cgroups?.balance(agent.pods());
    await cache.refreshSandbox(worker.uid, podSandboxId);
    return podSandboxId;
  } catch (error) {
    worker.event('Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${messageOf(error)}`);
    throw error;
  }
}

async function stopSandbox(worker: PodWorker, podSandboxId: string): Promise<void> {
  const { cri, cache } = worker.node.agent;
  await cri.stopPodSandbox({ podSandboxId });
  await cache.refreshSandbox(worker.uid, podSandboxId);
}

// ---------------------------------------------------------------------------------------------------- containers

/** Returns whether the pod's own containers may start. */
async function runInitContainers(worker: PodWorker, sandboxId: string, due: Due): Promise<boolean> {
  const { pod, runtime } = worker;
  const { initContainers = [] } = pod.spec;
  // Once the pod's own containers were started in this sandbox, initialization is behind it, whatever was cleaned up since.
  const begun = pod.spec.containers.some((container) => historyOf(runtime, container.name)[0]?.podSandboxId === sandboxId);
  for (const container of initContainers) {
    if (worker.signal.aborted) return false;
    if (isSidecar(container)) {
      await runContainer(worker, sandboxId, container, due);
      const current = historyOf(runtime, container.name)[0];
      const started = current?.state === 'CONTAINER_RUNNING' && worker.isStarted(container, current.id);
      if (!started && !begun) return false;
    } else if (!begun) {
      const current = inSandbox(worker, sandboxId, container);
      if (current?.state === 'CONTAINER_EXITED' && current.exitCode === 0) {
        worker.waiting.delete(container.name);
        continue;
      }
      await runContainer(worker, sandboxId, container, due);
      return false;
    }
  }
  return true;
}

/** The container as it is in this sandbox: one that ended with an earlier sandbox counts as not started here. */
function inSandbox(worker: PodWorker, sandboxId: string, container: Container): KnownContainer | undefined {
  const newest = historyOf(worker.runtime, container.name)[0];
  return newest?.podSandboxId === sandboxId ? newest : undefined;
}

/** Brings one container to where it should be: running, waiting for its next start, or ended for good. */
async function runContainer(worker: PodWorker, sandboxId: string, container: Container, due: Due): Promise<void> {
  const { pod, backoff, runtime } = worker;
  const newest = historyOf(runtime, container.name)[0];
  const current = inSandbox(worker, sandboxId, container);
  if (current?.state === 'CONTAINER_RUNNING') {
    if (!isStale(current, container)) {
      worker.waiting.delete(container.name);
      if (!worker.node.agent.simulated)
        worker.probes.ensure(container, current.id, current.startedAt / 1e6, recordedStatus(worker, container, current.id));
      return;
    }
    const message = `Container ${container.name} definition changed, will be restarted`;
    await killContainer(worker, container, current.id, pod.spec.terminationGracePeriodSeconds ?? 30, message);
  } else if (newest?.state === 'CONTAINER_EXITED') {
    if (!mayRestart(pod, newest, container)) return;
    const finishedAt = newest.finishedAt / 1e6;
    // What ended with its sandbox did not crash.
    const waitMs = current ? backoff.remaining(container.name, finishedAt) : 0;
    if (waitMs > 0) {
      const delay = goDuration(backoff.delay(container.name));
      const message = `back-off ${delay} restarting failed container=${container.name} pod=${podFormat(pod)}`;
      if (worker.waiting.get(container.name)?.reason !== 'CrashLoopBackOff') {
        worker.event('Warning', 'BackOff', `Back-off restarting failed container ${container.name} in pod ${podFormat(pod)}`, container);
      }
      worker.waiting.set(container.name, { reason: 'CrashLoopBackOff', message });
      due.in(waitMs);
      return;
    }
  }
  await startContainer(worker, sandboxId, container, newest, due);
}

/** image -> config -> create -> start -> postStart. What fails becomes why the container waits. */
async function startContainer(
  worker: PodWorker,
  sandboxId: string,
  container: Container,
  ended: KnownContainer | undefined,
  due: Due,
): Promise<void> {
  const attempt = nextAttempt(worker, container, ended);
  const { agent, memoryBytes } = worker.node;
  const { cri, cache } = agent;
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => worker.event(type, reason, message, container);
  let stage = 'CreateContainerError';
  try {
    const image = await agent.images.ensure(worker.pod, container, tell, worker.signal);
    const config = await containerConfig({
      ...payloadInputs(worker),
      services: await agent.services(),
      container,
      attempt,
      image,
      imageRef: image.id,
      volumes: worker.volumes ?? { real: false, paths: new Map() },
      podDir: agent.volumes.podDir(worker.uid),
      clusterDomain: agent.cluster.domain,
      ...targetOf(worker, container),
      nodeMemoryBytes: memoryBytes,
    });
    config.annotations[CONTAINER_HASH] = containerHash(container);
    const { containerId } = await cri.createContainer({ podSandboxId: sandboxId, config, sandboxConfig: sandboxConfigOf(worker) });
    cache.expect(worker.uid, containerId);
    if (ended) worker.backoff.restarted(container.name, ended.finishedAt / 1e6);
    tell('Normal', 'Created', 'Container created');
    stage = 'RunContainerError';
    await start(worker, cri, container, containerId, sandboxId);
    tell('Normal', 'Started', 'Container started');
    worker.waiting.delete(container.name);
    const status = await cache.refreshContainer(worker.uid, containerId, sandboxId);
    await postStart(worker, container, containerId);
    if (status?.state === 'CONTAINER_RUNNING' && !agent.simulated) worker.probes.ensure(container, containerId, status.startedAt / 1e6);
  } catch (error) {
    if (worker.signal.aborted) throw error;
    const waiting = error instanceof ContainerWaiting ? error : new ContainerWaiting(stage, messageOf(error));
    if (!isImageProblem(waiting.reason)) tell('Warning', 'Failed', `Error: ${waiting.message}`);
    worker.waiting.set(container.name, { reason: waiting.reason, message: waiting.message });
    due.in(Math.max(1_000, agent.images.retryAt(worker.pod, container) - Date.now()), isImageProblem(waiting.reason) ? 0 : 10_000);
    // ErrImagePull is shown once, then ImagePullBackOff.
    if (waiting.reason === 'ErrImagePull') due.in(1_000);
  }
}

function targetOf(worker: PodWorker, container: Container): { targetId?: string } {
  const { targetContainerName } = container as Container & { targetContainerName?: string };
  const target = targetContainerName ? historyOf(worker.runtime, targetContainerName)[0] : undefined;
  return target?.state === 'CONTAINER_RUNNING' ? { targetId: target.id } : {};
}

/** What the API says of this very container. */
function recordedStatus(worker: PodWorker, { name }: Container, containerId: string): ContainerStatus | undefined {
  const recorded = worker.recorded.get(name);
  return recorded?.containerID?.endsWith(`//${containerId}`) ? recorded : undefined;
}

/** One more than last time. Where the runtime has forgotten (the node was shut down), the API remembers. */
function nextAttempt(worker: PodWorker, { name }: Container, ended: KnownContainer | undefined): number {
  if (ended) return ended.metadata.attempt + 1;
  const recorded = worker.recorded.get(name);
  return recorded?.containerID ? recorded.restartCount + 1 : 0;
}

async function start(worker: PodWorker, cri: CriRuntime, container: Container, containerId: string, sandboxId: string): Promise<void> {
  try {
    await cri.startContainer({ containerId });
  } catch (error) {
    // The runtime keeps a container that failed to start as one that ended, with why: that is its status.
    await worker.node.agent.cache.refreshContainer(worker.uid, containerId, sandboxId);
    throw new ContainerWaiting('RunContainerError', `failed to start container "${container.name}": ${messageOf(error)}`);
  }
}

async function postStart(worker: PodWorker, container: Container, containerId: string): Promise<void> {
  const { postStart: hook } = (container.lifecycle ?? {}) as Lifecycle;
  if (!hook || worker.node.agent.simulated) return;
  try {
    await runHook(hook, { cri: worker.node.agent.cri, container, containerId, podIP: worker.podIPs[0] ?? '' }, 0);
  } catch (error) {
    worker.event('Warning', 'FailedPostStartHook', 'PostStartHook failed', container);
    await killContainer(worker, container, containerId, worker.pod.spec.terminationGracePeriodSeconds ?? 30, 'FailedPostStartHook');
    throw new ContainerWaiting('PostStartHookError', messageOf(error));
  }
}

function sandboxConfigOf(worker: PodWorker) {
  const { logsDir, cgroupRoot, cluster, hostDns } = worker.node.agent;
  const attempt = worker.runtime.sandboxes[0]?.metadata.attempt ?? 0;
  return sandboxConfig({ pod: worker.pod, nodeName: worker.node.name, attempt, logsDir, cgroupRoot, cluster, hostDns });
}

function mayRestart(pod: Pod, ended: KnownContainer, container?: Container): boolean {
  if (container && isSidecar(container)) return true;
  const isInit = pod.spec.initContainers?.some(({ name }) => name === ended.metadata.name);
  const { restartPolicy = 'Always' } = pod.spec;
  // An init container that ended well has nothing left to do, even under Always.
  if (restartPolicy === 'Always') return !isInit || ended.exitCode !== 0;
  return restartPolicy === 'OnFailure' && ended.exitCode !== 0;
}

/** Of what cannot be changed in a running container: the image is the only such field an update may touch. */
export function containerHash({ name, image }: Container): string {
  return createHash('sha256')
    .update(JSON.stringify([name, image]))
    .digest('hex')
    .slice(0, 8);
}

function isStale(running: KnownContainer, container: Container): boolean {
  const made = running.annotations[CONTAINER_HASH];
  return made !== undefined && made !== containerHash(container);
}

function isImageProblem(reason: string): boolean {
  return (
    reason.startsWith('ErrImage') || reason === 'ImagePullBackOff' || reason === 'InvalidImageName' || reason === 'RegistryUnavailable'
  );
}

/** The soonest thing that has to be done. */
class Due {
  #ms: number | undefined;

  in(ms: number, atLeast = 0): void {
    this.#ms = Math.min(this.#ms ?? Number.POSITIVE_INFINITY, Math.max(ms, atLeast));
  }

  ms(): number | undefined {
    return this.#ms;
  }
}

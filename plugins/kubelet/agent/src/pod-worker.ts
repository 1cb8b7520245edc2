import { type Container, type ContainerStatus, type Pod, semanticEqual } from '@kubernel/sdk/api';
import { sleep, timestamp } from '@kubernel/sdk/client';
import { check } from './check.ts';
import { CrashBackoff } from './crash-backoff.ts';
import { messageOf } from './errors.ts';
import type { NodeContext } from './node-context.ts';
import { podFormat, uidOf } from './pod-fields.ts';
import { podStatus } from './pod-status.ts';
import { Probes } from './probes.ts';
import type { PodRuntime } from './runtime-cache.ts';
import { StatusWriter } from './status-writer.ts';
import { syncPod } from './sync-pod.ts';
import { killContainer, terminatePod } from './terminate-pod.ts';
import type { MountedVolumes } from './volumes/manager.ts';

const FAILURE_BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000];
/** Without anything happening a pod is looked at this often: tokens are renewed, drift is put right. */
const RESYNC_MS = 60_000;

/**
 * One pod on one node: its state, and the loop that brings the runtime to what the pod says. At most one pass runs at a
 * time; whatever happens meanwhile (the API, the runtime, a probe) asks for another.
 */
export class PodWorker {
  readonly node: NodeContext;
  readonly uid: string;
  readonly status: StatusWriter;
  readonly probes: Probes;
  readonly backoff = new CrashBackoff();
  /** Why containers wait, by name: what their status says instead of the runtime's. */
  readonly waiting = new Map<string, { reason: string; message: string }>();
  /** Set when volumes have to be looked at again: at first, when an object changed, now and then. */
  volumesDirty = true;
  volumes: MountedVolumes | undefined;
  /** Why the kubelet itself ended the pod. */
  failure: { reason: string; message: string } | undefined;
  /** What the API said of containers when this kubelet first saw the pod: the runtime may have forgotten them. */
  readonly recorded: ReadonlyMap<string, ContainerStatus>;
  /** Containers are gone for good, sandbox and volumes too; the object is still there. */
  ended = false;
  /** Everything is removed, the worker can be dropped. */
  done = false;
  readonly #onDone: (worker: PodWorker) => void;
  #pod: Pod;
  #removed = false;
  #startTime: string | undefined;
  #running: Promise<void> | undefined;
  #dirty = false;
  #released = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #abort = new AbortController();

  constructor(node: NodeContext, pod: Pod, onDone: (worker: PodWorker) => void) {
    this.node = node;
    this.uid = uidOf(pod);
    this.#pod = pod;
    this.#onDone = onDone;
    this.#startTime = pod.status?.startTime;
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    this.recorded = new Map([...initContainerStatuses, ...containerStatuses].map((status) => [status.name, status]));
    this.status = new StatusWriter(node.agent.client, pod, node.agent.signal);
    this.probes = new Probes({
      check: (probe, container, containerId) => check(probe, { cri: node.agent.cri, container, containerId, podIP: this.podIPs[0] ?? '' }),
      changed: () => this.kick(),
      unhealthy: (container, kind, output) => this.event('Warning', 'Unhealthy', `${kind} probe failed: ${output}`, container),
      failed: (container, containerId, kind, probe) => {
        const grace = probe.terminationGracePeriodSeconds ?? this.pod.spec.terminationGracePeriodSeconds ?? 30;
        const message = `Container ${container.name} failed ${kind.toLowerCase()} probe, will be restarted`;
        void killContainer(this, container, containerId, grace, message).catch((error: unknown) => this.#failed(error));
      },
    });
    node.agent.objects.register(pod);
  }

  get pod(): Pod {
    return this.#pod;
  }

  get runtime(): PodRuntime {
    return this.node.agent.cache.pod(this.uid);
  }

  get podIPs(): readonly string[] {
    return this.#pod.spec.hostNetwork ? this.node.hostIPs : this.runtime.ips;
  }

  /** Aborts when the pod is to end: what only serves its start is given up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The object is gone from the API, or marked to go. */
  get terminating(): boolean {
    return this.#removed || this.#pod.metadata.deletionTimestamp !== undefined;
  }

  get removed(): boolean {
    return this.#removed;
  }

  get startTime(): string {
    return (this.#startTime ??= timestamp());
  }

  /** Only what the kubelet acts on makes a new pass: most updates are its own status coming back. */
  update(pod: Pod): void {
    const old = this.#pod;
    this.#pod = pod;
    this.status.observe(pod);
    if (this.terminating) this.#abort.abort(new Error('the pod is being deleted'));
    if (old.metadata.deletionTimestamp && graceOf(pod) < graceOf(old)) this.#hasten(graceOf(pod));
    const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
    const sameMeta = semanticEqual(labels, pod.metadata.labels) && semanticEqual(annotations, pod.metadata.annotations);
    const sameEnd =
      deletionTimestamp === pod.metadata.deletionTimestamp && deletionGracePeriodSeconds === pod.metadata.deletionGracePeriodSeconds;
    if (!sameMeta) this.volumesDirty = true;
    if (!sameMeta || !sameEnd || !semanticEqual(old.spec, pod.spec)) this.kick();
    else if (pod.spec.readinessGates?.length) this.publish();
  }

  /** The object is gone from the API. */
  remove(pod: Pod): void {
    if (this.terminating) this.#hasten(0);
    this.#removed = true;
    this.#pod = pod;
    this.#abort.abort(new Error('the pod was deleted'));
    this.kick();
  }

  objectChanged(): void {
    this.volumesDirty = true;
    this.kick();
  }

  /** Asks for a pass, now or after the one that runs. */
  kick(): void {
    if (this.#released) return;
    clearTimeout(this.#timer);
    this.#dirty = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#dirty && !this.done && !this.node.agent.signal.aborted) this.kick();
    });
  }

  /** The worker stops; containers go on. */
  async release(): Promise<void> {
    this.#released = true;
    clearTimeout(this.#timer);
    this.probes.stop();
    this.#abort.abort(new Error('the kubelet stops'));
    await this.#running;
  }

  /** Simulated containers are not probed: they are well. */
  isStarted(container: Container, containerId: string): boolean {
    return this.node.agent.simulated || this.probes.isStarted(container, containerId);
  }

  /** Works out the status from what is known now, and has it written. */
  publish(): void {
    const { agent, hostIPs } = this.node;
    if (this.done) return;
    this.status.write(
      podStatus({
        pod: this.status.pod.metadata.uid === this.uid ? this.status.pod : this.#pod,
        runtime: this.runtime,
        waiting: this.waiting,
        recorded: this.recorded,
        isReady: (container, id) => agent.simulated || this.probes.isReady(container, id),
        isStarted: (container, id) => agent.simulated || this.probes.isStarted(container, id),
        hostIPs,
        runtimeName: agent.runtimeName,
        startTime: this.startTime,
        ended: this.ended,
        failure: this.failure,
      }),
    );
  }

  event(type: 'Normal' | 'Warning', reason: string, message: string, container?: Container): void {
    const { initContainers, ephemeralContainers } = this.#pod.spec;
    const named = (list: Container[] | undefined): boolean => list?.some(({ name }) => name === container?.name) ?? false;
    const list = named(initContainers) ? 'initContainers' : named(ephemeralContainers) ? 'ephemeralContainers' : 'containers';
    const fieldPath = container ? { fieldPath: `spec.${list}{${container.name}}` } : {};
    this.node.recorder?.event({ apiVersion: 'v1', kind: 'Pod', metadata: this.#pod.metadata, ...fieldPath }, type, reason, message);
  }

  async #run(): Promise<void> {
    this.#dirty = false;
    let nextMs = RESYNC_MS;
    try {
      if (this.terminating) await terminatePod(this);
      else nextMs = Math.min(nextMs, (await syncPod(this)) ?? RESYNC_MS);
      this.#failures = 0;
    } catch (error) {
      if (this.node.agent.signal.aborted) return;
      if (!this.signal.aborted) this.#failed(error);
      nextMs =
        this.signal.aborted && this.#failures === 0 ? 0 : FAILURE_BACKOFF_MS[Math.min(this.#failures, FAILURE_BACKOFF_MS.length - 1)]!;
      this.#failures++;
    }
    if (this.done) {
      this.probes.stop();
      this.node.agent.objects.unregister(this.uid);
      this.node.agent.tokens.forget(this.uid);
      this.node.agent.images.forget(this.uid);
      this.#onDone(this);
      return;
    }
    if (this.#released) return;
    this.#timer = setTimeout(() => {
      this.volumesDirty = true;
      this.kick();
    }, nextMs);
  }

  /** The pod is ending and shall end sooner: the runtime takes the shorter of two stops. */
  #hasten(timeout: number): void {
    for (const { id: containerId, state } of this.runtime.containers.values()) {
      if (state === 'CONTAINER_RUNNING') this.node.agent.cri.stopContainer({ containerId, timeout }).catch(() => {});
    }
  }

  #failed(error: unknown): void {
    this.node.agent.log.warn('a pod could not be synced', { pod: podFormat(this.#pod), error: messageOf(error) });
  }

  /** Waits, or less when the pod is to end. */
  pause(ms: number): Promise<void> {
    return sleep(ms, this.signal);
  }
}

function graceOf(pod: Pod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

import type { ContainerStatus, CriRuntime, Logger, PodSandbox, PodSandboxStatus } from '@kubernel/sdk';
import { isCode } from '@kubernel/sdk';
import { sleep } from '@kubernel/sdk/client';
import { messageOf } from './errors.ts';
import { CONTAINER_NAME, POD_UID } from './labels.ts';

/** The runtime's own status does not say in which sandbox a container is. */
export type KnownContainer = ContainerStatus & { podSandboxId: string };

/** What the runtime has of one pod, as far as the kubelet knows: all sandboxes and containers, dead ones too. */
export interface PodRuntime {
  /** Newest first. */
  sandboxes: (PodSandbox | PodSandboxStatus)[];
  /** Of the newest sandbox, once asked for. */
  ips: string[];
  containers: Map<string, KnownContainer>;
}

const RELIST_MS = 1_000;
/** Where the runtime tells of events, listing is only for those that got lost. */
const RELIST_WITH_EVENTS_MS = 30_000;

/**
 * The state of all pods in the runtime, kept current by the runtime's events, by the kubelet's own actions (which put their
 * outcome here at once), and by listing now and then. Syncing a pod reads it and makes no call.
 */
export class RuntimeCache {
  readonly #cri: CriRuntime;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #pods = new Map<string, PodRuntime>();
  readonly #owner = new Map<string, string>();
  readonly #changed: (uid: string) => void;
  #eventsWork = false;

  /** `changed` is called after something happened to a pod that was not the kubelet's own doing. */
  constructor(cri: CriRuntime, log: Logger, signal: AbortSignal, changed: (uid: string) => void) {
    this.#cri = cri;
    this.#log = log;
    this.#signal = signal;
    this.#changed = changed;
  }

  /** Fills the cache; what runs already is thereby adopted. Retries until the runtime answers. */
  async start(): Promise<void> {
    for (let waitMs = 100; !this.#signal.aborted; waitMs = Math.min(waitMs * 2, 5_000)) {
      try {
        await this.#relist();
        break;
      } catch (error) {
        this.#log.warn('the container runtime does not answer', { error: messageOf(error) });
        await sleep(waitMs, this.#signal);
      }
    }
    void this.#follow();
    void this.#relistForever();
  }

  pod(uid: string): PodRuntime {
    let pod = this.#pods.get(uid);
    if (!pod) this.#pods.set(uid, (pod = { sandboxes: [], ips: [], containers: new Map() }));
    return pod;
  }

  uids(): IterableIterator<string> {
    return this.#pods.keys();
  }

  /** Nothing of the pod is left in the runtime. */
  forget(uid: string): void {
    for (const id of this.#pods.get(uid)?.containers.keys() ?? []) this.#owner.delete(id);
    for (const sandbox of this.#pods.get(uid)?.sandboxes ?? []) this.#owner.delete(sandbox.id);
    this.#pods.delete(uid);
  }

  /** A container that the kubelet just made: its end must be noticed from now on, however soon it comes. */
  expect(uid: string, containerId: string): void {
    this.#owner.set(containerId, uid);
  }

  /** Asks for one container again after the kubelet did something to it. */
  async refreshContainer(uid: string, containerId: string, podSandboxId?: string): Promise<KnownContainer | undefined> {
    const { containers } = this.pod(uid);
    try {
      const found = await this.#cri.containerStatus({ containerId });
      const known = containers.get(containerId);
      // Of two questions under way the older answer may come last, and what has ended does not run again.
      if (known?.state === 'CONTAINER_EXITED' && found.state !== 'CONTAINER_EXITED') return known;
      const status = { ...found, podSandboxId: podSandboxId ?? known?.podSandboxId ?? '' };
      containers.set(containerId, status);
      this.#owner.set(containerId, uid);
      return status;
    } catch (error) {
      if (!isCode(error, 'ERR_CRI_NOT_FOUND')) throw error;
      containers.delete(containerId);
      this.#owner.delete(containerId);
      return undefined;
    }
  }

  async refreshSandbox(uid: string, podSandboxId: string): Promise<PodSandboxStatus | undefined> {
    const pod = this.pod(uid);
    try {
      const status = await this.#cri.podSandboxStatus({ podSandboxId });
      this.#owner.set(podSandboxId, uid);
      pod.sandboxes = [status, ...pod.sandboxes.filter(({ id }) => id !== podSandboxId)].sort((a, b) => b.createdAt - a.createdAt);
      if (pod.sandboxes[0]?.id === podSandboxId && status.network) {
        pod.ips = [status.network.ip, ...status.network.additionalIps.map(({ ip }) => ip)].filter(Boolean);
      }
      return status;
    } catch (error) {
      if (!isCode(error, 'ERR_CRI_NOT_FOUND')) throw error;
      pod.sandboxes = pod.sandboxes.filter(({ id }) => id !== podSandboxId);
      this.#owner.delete(podSandboxId);
      return undefined;
    }
  }

  async #follow(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        for await (const { containerId, type } of this.#cri.events()) {
          this.#eventsWork = true;
          if (this.#signal.aborted) return;
          if (type === 'CONTAINER_STOPPED_EVENT' || type === 'CONTAINER_DELETED_EVENT') void this.#onStopped(containerId);
        }
      } catch (error) {
        if (isCode(error, 'ERR_CRI_UNIMPLEMENTED')) return;
        if (!this.#signal.aborted) this.#log.debug('the stream of container events ended', { error: messageOf(error) });
      }
      this.#eventsWork = false;
      await sleep(500, this.#signal);
    }
  }

  async #onStopped(id: string): Promise<void> {
    const uid = this.#owner.get(id);
    if (uid === undefined) return;
    try {
      await this.#settled(uid, id);
      this.#changed(uid);
    } catch (error) {
      this.#log.debug('a container that ended could not be asked about', { error: messageOf(error) });
    }
  }

  /** The event may come a moment before the runtime's own record says so. */
  async #settled(uid: string, id: string): Promise<void> {
    const isSandbox = this.#pods.get(uid)?.sandboxes.some((sandbox) => sandbox.id === id);
    for (let i = 0; i < 20; i++) {
      const status = await (isSandbox ? this.refreshSandbox(uid, id) : this.refreshContainer(uid, id));
      if (status?.state !== 'CONTAINER_RUNNING' && status?.state !== 'SANDBOX_READY') return;
      await sleep(10 + i * 5, this.#signal);
    }
  }

  async #relistForever(): Promise<void> {
    for (;;) {
      await sleep(this.#eventsWork ? RELIST_WITH_EVENTS_MS : RELIST_MS, this.#signal);
      if (this.#signal.aborted) return;
      await this.#relist().catch((error: unknown) => this.#log.debug('the runtime could not be listed', { error: messageOf(error) }));
    }
  }

  async #relist(): Promise<void> {
    const [sandboxes, containers] = await Promise.all([this.#cri.listPodSandbox(), this.#cri.listContainers()]);
    const changed = new Set<string>();
    const refresh: Promise<unknown>[] = [];
    const alive = new Set<string>();
    for (const sandbox of sandboxes) {
      alive.add(sandbox.id);
      const uid = sandbox.labels[POD_UID];
      if (!uid) continue;
      const known = this.#pods.get(uid)?.sandboxes.find(({ id }) => id === sandbox.id);
      if (known?.state === sandbox.state) continue;
      changed.add(uid);
      refresh.push(this.refreshSandbox(uid, sandbox.id));
    }
    for (const container of containers) {
      alive.add(container.id);
      const uid = container.labels[POD_UID];
      if (!uid || !container.labels[CONTAINER_NAME]) continue;
      if (this.#pods.get(uid)?.containers.get(container.id)?.state === container.state) continue;
      changed.add(uid);
      refresh.push(this.refreshContainer(uid, container.id, container.podSandboxId));
    }
    await Promise.all(refresh);
    for (const [id, uid] of this.#owner) {
      if (alive.has(id)) continue;
      // Perhaps made while the lists were on their way: ask before believing that it is gone.
      const isSandbox = this.#pods.get(uid)?.sandboxes.some((sandbox) => sandbox.id === id);
      const gone = !(await (isSandbox ? this.refreshSandbox(uid, id) : this.refreshContainer(uid, id)));
      if (gone) changed.add(uid);
    }
    for (const uid of changed) this.#changed(uid);
  }
}

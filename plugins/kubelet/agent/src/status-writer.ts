import { statusCode } from '@kubernel/sdk';
import { type KubeObject, type Pod, type PodStatus, semanticEqual } from '@kubernel/sdk/api';
import { type Client, PODS, sleep } from '@kubernel/sdk/client';

/**
 * Writes a pod's status, newest only: while one write is on its way, newer ones replace each other. A status equal to what
 * the API has is not written.
 */
export class StatusWriter {
  readonly #client: Client;
  readonly #signal: AbortSignal;
  #pod: Pod;
  #next: PodStatus | undefined;
  #writing: Promise<void> | undefined;
  /** The pod is gone from the API: there is nobody left to tell. */
  #gone = false;

  constructor(client: Client, pod: Pod, signal: AbortSignal) {
    this.#client = client;
    this.#pod = pod;
    this.#signal = signal;
  }

  /** What the API has, when it is newer than what is known. */
  observe(pod: Pod): void {
    if (revision(pod) >= revision(this.#pod)) this.#pod = pod;
  }

  get pod(): Pod {
    return this.#pod;
  }

  write(status: PodStatus): void {
    this.#next = status;
    // In a turn of its own: steps of one sync that follow each other at once become one write.
    this.#writing ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#drain())
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** Resolves when what was given so far is written, or the pod is gone. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #drain(): Promise<void> {
    for (let waitMs = 50; this.#next && !this.#gone && !this.#signal.aborted; ) {
      const next = this.#next;
      const status = withForeign(next, this.#pod.status ?? {});
      if (semanticEqual(status, this.#pod.status)) {
        this.#next = undefined;
        continue;
      }
      try {
        await this.#patch(status);
        if (this.#next === next) this.#next = undefined;
      } catch (error) {
        if (statusCode(error) === 404) {
          this.#gone = true;
        } else if (statusCode(error) === 409) {
          await this.#refresh();
        } else {
          await sleep(waitMs, this.#signal);
          waitMs = Math.min(waitMs * 2, 10_000);
        }
      }
    }
  }

  async #patch(status: PodStatus): Promise<void> {
    const { name = '', namespace = '', uid, resourceVersion } = this.#pod.metadata;
    const removed = Object.fromEntries(
      Object.keys(this.#pod.status ?? {})
        .filter((key) => !(key in status))
        .map((key) => [key, null]),
    );
    // Lists are replaced whole; the revision makes sure that no condition of somebody else is lost by that.
    const patch = { metadata: { uid, resourceVersion }, status: { ...removed, ...status } };
    const stored = await this.#client.patch<KubeObject>(PODS, name, { type: 'merge', patch }, { namespace, subresource: 'status' });
    this.observe(stored as Pod);
  }

  async #refresh(): Promise<void> {
    const { name = '', namespace = '', uid } = this.#pod.metadata;
    const fresh = await this.#client.get<Pod>(PODS, name, { namespace }).catch((error: unknown) => {
      if (statusCode(error) !== 404) throw error;
      return undefined;
    });
    if (!fresh || fresh.metadata.uid !== uid) {
      this.#gone = true;
      return;
    }
    this.#pod = fresh;
  }
}

const OWN_FIELDS = new Set([
  'phase',
  'conditions',
  'message',
  'reason',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'qosClass',
  'observedGeneration',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
]);
const OWN_CONDITIONS = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']);

/** The kubelet's part as it is now, and everybody else's as the API has it. */
function withForeign(own: PodStatus, stored: PodStatus): PodStatus {
  const foreign = Object.fromEntries(Object.entries(stored).filter(([field]) => !OWN_FIELDS.has(field)));
  const conditions = [
    ...(own.conditions ?? []).filter(({ type }) => OWN_CONDITIONS.has(type)),
    ...(stored.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.has(type)),
  ];
  return { ...foreign, ...own, conditions };
}

function revision(pod: Pod): number {
  return Number(pod.metadata.resourceVersion ?? 0);
}

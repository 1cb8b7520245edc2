import type { Logger } from '@kubernel/sdk';
import type { Pod } from '@kubernel/sdk/api';
import { type Client, type EventRecorder, getCondition, isNotFound, PODS, timestamp, withCondition } from '@kubernel/sdk/client';

export interface Failure {
  /** `Unschedulable`: no node fits; `SchedulerError`: something broke. */
  reason: 'Unschedulable' | 'SchedulerError';
  message: string;
  /** undefined: leave it; '': clear it. */
  nominatedNode?: string | undefined;
}

/**
 * Tells the world that a pod has no node: the condition PodScheduled=False on the pod, its nominatedNodeName, and an
 * Event. Writes only what is not yet so, and never makes the scheduler wait.
 */
export class FailureReporter {
  #client: Client;
  #events: (schedulerName: string) => EventRecorder;
  #log: Logger;

  constructor(client: Client, events: (schedulerName: string) => EventRecorder, log: Logger) {
    this.#client = client;
    this.#events = events;
    this.#log = log;
  }

  report(schedulerName: string, pod: Pod, failure: Failure): void {
    this.#events(schedulerName).event(asPod(pod), 'Warning', 'FailedScheduling', failure.message);
    const patch = this.#statusPatch(pod, failure);
    if (patch) this.#write(pod, patch);
  }

  /** Someone of higher priority took the node the pod hoped for. */
  clearNomination(pod: Pod): void {
    this.#write(pod, { nominatedNodeName: null });
  }

  #write(pod: Pod, patch: Record<string, unknown>): void {
    const { name = '', namespace = '' } = pod.metadata;
    this.#client
      .patch(
        PODS,
        name,
        { type: 'strategic', patch: { metadata: { uid: pod.metadata.uid }, status: patch } },
        { namespace, subresource: 'status' },
      )
      .catch((error: unknown) => {
        if (isNotFound(error)) return;
        this.#log.warn('a pod could not be told why it has no node', { pod: `${namespace}/${name}`, error: String(error) });
      });
  }

  #statusPatch(pod: Pod, { reason, message, nominatedNode }: Failure): Record<string, unknown> | undefined {
    const conditions = pod.status?.conditions ?? [];
    const generation = pod.metadata.generation;
    const wanted = {
      type: 'PodScheduled',
      status: 'False' as const,
      reason,
      message,
      ...(generation ? { observedGeneration: generation } : {}),
    };
    const next = withCondition(conditions, { ...wanted, lastProbeTime: null }, timestamp());
    const patch: Record<string, unknown> = {};
    if (next !== conditions) patch['conditions'] = [getCondition(next, 'PodScheduled')];
    if (nominatedNode !== undefined && nominatedNode !== (pod.status?.nominatedNodeName ?? '')) {
      patch['nominatedNodeName'] = nominatedNode === '' ? null : nominatedNode;
    }
    return Object.keys(patch).length ? patch : undefined;
  }
}

/** Objects of a list carry no kind, but Events refer by it. */
export function asPod(pod: Pod): Pod {
  return pod.kind ? pod : { ...pod, apiVersion: 'v1', kind: 'Pod' };
}

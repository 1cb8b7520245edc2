import type { Logger, PodCycle, PolicyInstance, Rejection } from '@kubernel/sdk';
import { type EventRecorder, isNotFound } from '@kubernel/sdk/client';
import type { Cluster } from '@kubernel/sdk/scheduling';
import { asPod, type FailureReporter } from './failure.ts';
import type { Framework } from './framework.ts';
import type { QueueEntry, SchedulingQueue } from './queue/scheduling-queue.ts';

/** With so many bindings under way, events wait, but each no longer than this. */
const BUSY_BINDINGS = 8;
const EVENT_DELAY_MS = 100;

export interface BindingParts {
  cluster: Cluster;
  queue: SchedulingQueue;
  failures: FailureReporter;
  events: (schedulerName: string) => EventRecorder;
  log: Logger;
  /** A pod was bound: how long it took since it was first seen, in milliseconds. */
  onBound?: (entry: QueueEntry) => void;
}

/**
 * The second half of a pod's path, many at a time: Permit, PreBind, Bind, PostBind. The pod is assumed on its node
 * meanwhile; when anything refuses, that is taken back and the pod is tried again.
 */
export class BindingCycle {
  inFlight = 0;
  /** Called when one has ended. */
  onSettled: () => void = () => undefined;
  readonly #calmed = new Set<() => void>();
  #parts: BindingParts;

  constructor(parts: BindingParts) {
    this.#parts = parts;
  }

  /** Resolves when few bindings are under way, or after a while: events about pods must not keep others from their nodes. */
  calm(): Promise<void> | undefined {
    if (this.inFlight <= BUSY_BINDINGS) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(done, EVENT_DELAY_MS);
      const waiters = this.#calmed;
      function done(): void {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
    });
  }

  start(framework: Framework, cycle: PodCycle, entry: QueueEntry, node: number): void {
    this.inFlight++;
    const name = this.#parts.cluster.nodes.name(node);
    void this.#run(framework, cycle, entry, node, name)
      .catch((error: unknown) => this.#failed(framework, cycle, entry, node, error))
      .finally(() => {
        this.inFlight--;
        if (this.inFlight <= BUSY_BINDINGS) for (const calmed of this.#calmed) calmed();
        this.onSettled();
      });
  }

  async #run(framework: Framework, cycle: PodCycle, entry: QueueEntry, node: number, nodeName: string): Promise<void> {
    const { policies } = framework;
    for (const { instance } of policies) {
      const refused = await instance.permit?.(cycle, node);
      if (refused) return this.#rejected(framework, cycle, entry, node, instance, refused);
    }
    for (const { instance } of policies) {
      const refused = await instance.preBind?.(cycle, node);
      if (refused) return this.#rejected(framework, cycle, entry, node, instance, refused);
    }
    let bound = false;
    for (const { instance } of policies) {
      if (!instance.bind) continue;
      bound = (await instance.bind(cycle, node)) === 'bound';
      if (bound) break;
    }
    if (!bound) throw new Error(`no policy of the profile ${framework.schedulerName} binds pods: add default-binder`);
    this.#parts.queue.done(entry);
    for (const { instance } of policies) instance.postBind?.(cycle, node);
    const { namespace, name, pod } = entry.info;
    this.#parts
      .events(framework.schedulerName)
      .event(asPod(pod), 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`);
    this.#parts.onBound?.(entry);
  }

  #rejected(framework: Framework, cycle: PodCycle, entry: QueueEntry, node: number, by: PolicyInstance, refused: Rejection): void {
    this.#takeBack(framework, cycle, entry, node);
    this.#parts.failures.report(framework.schedulerName, entry.info.pod, { reason: 'Unschedulable', message: refused.reasons.join(', ') });
    this.#parts.queue.requeue(entry, { rejectedBy: [by], late: true });
  }

  #failed(framework: Framework, cycle: PodCycle, entry: QueueEntry, node: number, error: unknown): void {
    this.#takeBack(framework, cycle, entry, node);
    const message = error instanceof Error ? error.message : String(error);
    // The pod was deleted on the way: its own event has said so, or will.
    if (!isNotFound(error)) {
      this.#parts.log.warn('a binding failed; the pod is tried again', { pod: entry.info.key, error: message });
      this.#parts.failures.report(framework.schedulerName, entry.info.pod, {
        reason: 'SchedulerError',
        message: `binding rejected: ${message}`,
      });
    }
    this.#parts.queue.requeue(entry, 'broken');
  }

  #takeBack(framework: Framework, cycle: PodCycle, entry: QueueEntry, node: number): void {
    for (const { instance } of framework.policies.toReversed()) instance.unreserve?.(cycle, node);
    this.#parts.cluster.forget(entry.info.uid);
  }
}

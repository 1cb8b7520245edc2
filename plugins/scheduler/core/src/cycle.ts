import type { Logger, PodCycle, PodInfo } from '@kubernel/sdk';
import type { EventRecorder } from '@kubernel/sdk/client';
import { type Cluster, fitError, NO_NODES } from '@kubernel/sdk/scheduling';
import type { BindingCycle } from './binding.ts';
import { asPod, type FailureReporter } from './failure.ts';
import type { FilterPhase } from './filter.ts';
import type { Framework } from './framework.ts';
import type { Nominator } from './nominator.ts';
import type { QueueEntry, SchedulingQueue } from './queue/scheduling-queue.ts';
import type { ScorePhase } from './score.ts';
import type { HostSelector } from './select.ts';

export interface CycleParts {
  cluster: Cluster;
  queue: SchedulingQueue;
  filter: FilterPhase;
  score: ScorePhase;
  selector: HostSelector;
  binding: BindingCycle;
  nominator: Nominator;
  failures: FailureReporter;
  events: (schedulerName: string) => EventRecorder;
  log: Logger;
  /** How an attempt ended. */
  onAttempt?: (result: 'scheduled' | 'unschedulable' | 'error', profile: string) => void;
}

/**
 * The path of one pod, from the queue to the node it will run on. All of it happens in one turn of the event loop, so the
 * cluster stands still meanwhile; binding, which asks the API, follows beside the next pods.
 */
export class SchedulingCycle {
  #parts: CycleParts;

  constructor(parts: CycleParts) {
    this.#parts = parts;
  }

  run(framework: Framework, entry: QueueEntry): void {
    const cycle = new Attempt(entry.info, framework.schedulerName);
    if (this.#leaveAlone(framework, entry)) return;
    try {
      const node = this.#findNode(framework, cycle);
      if (node < 0) this.#noNode(framework, cycle, entry);
      else this.#take(framework, cycle, entry, node);
      this.#parts.onAttempt?.(node < 0 ? 'unschedulable' : 'scheduled', framework.schedulerName);
    } catch (error) {
      this.#parts.onAttempt?.('error', framework.schedulerName);
      this.#broke(framework, entry, error);
    }
  }

  /** The best of the nodes where the pod fits, or -1. */
  #findNode(framework: Framework, cycle: PodCycle): number {
    const { cluster, filter, score, selector } = this.#parts;
    if (cluster.nodes.count === 0) return -1;
    const found = filter.run(framework, cycle);
    if (found.count <= 1) return found.count === 1 ? (found.nodes[0] as number) : -1;
    const nodes = found.nodes.subarray(0, found.count);
    return selector.select(nodes, score.run(framework, cycle, nodes));
  }

  /** Counts the pod on its node before the API knows, reserves, and hands it to the binding cycle. */
  #take(framework: Framework, cycle: PodCycle, entry: QueueEntry, node: number): void {
    const { cluster, queue, binding, nominator, failures } = this.#parts;
    cluster.assume(entry.info, node);
    for (const { instance } of framework.policies) {
      const refused = instance.reserve?.(cycle, node);
      if (!refused) continue;
      for (const policy of framework.policies.toReversed()) policy.instance.unreserve?.(cycle, node);
      cluster.forget(entry.info.uid);
      failures.report(framework.schedulerName, entry.info.pod, { reason: 'Unschedulable', message: refused.reasons.join(', ') });
      queue.requeue(entry, { rejectedBy: [instance], late: true });
      return;
    }
    nominator.delete(entry.info.uid);
    binding.start(framework, cycle, entry, node);
  }

  /** Nothing fits: say why, see whether preemption helps, and wait for an event that one of the rejecting policies hopes for. */
  #noNode(framework: Framework, cycle: PodCycle, entry: QueueEntry): void {
    const { cluster, queue, filter, nominator, failures } = this.#parts;
    const { schedulerName } = framework;
    if (cluster.nodes.count === 0) {
      failures.report(schedulerName, entry.info.pod, { reason: 'Unschedulable', message: NO_NODES });
      queue.requeue(entry, { rejectedBy: [] });
      return;
    }
    const diagnosis = filter.diagnose(framework, cycle);
    let nominatedNode: string | undefined;
    const hints: string[] = [];
    for (const { instance } of framework.policies) {
      const result = instance.postFilter?.(cycle, diagnosis);
      if (result?.message) hints.push(result.message);
      for (const other of result?.unnominate ?? []) {
        nominator.delete(other.uid);
        failures.clearNomination(other.pod);
      }
      if (result?.nominatedNode === undefined) continue;
      nominatedNode = result.nominatedNode;
      if (nominatedNode === '') nominator.delete(entry.info.uid);
      else nominator.set(entry.info, nominatedNode);
      break;
    }
    const message = fitError(diagnosis.nodeCount, diagnosis.reasons, diagnosis.rejection?.reasons, hints.join(', '));
    failures.report(schedulerName, entry.info.pod, { reason: 'Unschedulable', message, nominatedNode });
    queue.requeue(entry, { rejectedBy: diagnosis.rejectedBy });
  }

  #broke(framework: Framework, entry: QueueEntry, error: unknown): void {
    const { cluster, queue, failures, log } = this.#parts;
    const message = error instanceof Error ? error.message : String(error);
    cluster.forget(entry.info.uid);
    log.error('a policy failed; the pod is tried again', { pod: entry.info.key, error: message });
    failures.report(framework.schedulerName, entry.info.pod, { reason: 'SchedulerError', message });
    queue.requeue(entry, 'broken');
  }

  /** Pods that are being deleted, and those decided already. */
  #leaveAlone(framework: Framework, entry: QueueEntry): boolean {
    const { cluster, queue, events } = this.#parts;
    if (entry.info.terminating) {
      const text = `skip schedule deleting pod: ${entry.info.key}`;
      events(framework.schedulerName).event(asPod(entry.info.pod), 'Warning', 'FailedScheduling', text);
    } else if (!cluster.placement(entry.info.uid)) {
      return false;
    }
    queue.done(entry);
    return true;
  }
}

/** One attempt at one pod: what policies are handed. */
export class Attempt implements PodCycle {
  readonly pod: PodInfo;
  readonly profile: string;
  #state: Map<unknown, unknown> | undefined;

  constructor(pod: PodInfo, profile: string) {
    this.pod = pod;
    this.profile = profile;
  }

  get state(): Map<unknown, unknown> {
    this.#state ??= new Map();
    return this.#state;
  }
}

import type { Diagnosis, PodCycle, PodInfo, PolicyHost, PostFilterResult, SchedulerPolicy } from '@kubernel/sdk';
import { isConditionTrue, isNotFound, POD_DISRUPTION_BUDGETS, PODS, timestamp } from '@kubernel/sdk/client';
import { fitError } from '@kubernel/sdk/scheduling';
import { Budgets, type PodDisruptionBudget } from './budgets.ts';
import { type Candidate, findVictims, leastHarm, NO_VICTIMS } from './victims.ts';

/** Config of `scheduler-policy/default-preemption`: upstream's DefaultPreemptionArgs. */
export interface DefaultPreemptionArgs {
  minCandidateNodesPercentage?: number;
  minCandidateNodesAbsolute?: number;
}

const NOT_HELPFUL = 'Preemption is not helpful for scheduling';

/**
 * When a pod fits nowhere, looks for a node where it would fit if pods of lower priority were gone, has those deleted, and
 * nominates the node (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/). Disruption budgets
 * are kept where that is possible.
 */
export const defaultPreemption: SchedulerPolicy = {
  name: 'DefaultPreemption',
  create: (host, args) => {
    const { minCandidateNodesPercentage = 10, minCandidateNodesAbsolute = 100 } = args as DefaultPreemptionArgs;
    const budgets = host.informer<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS);
    /** Pods whose victims are being deleted: trying them meanwhile would preempt twice. */
    const preempting = new Set<string>();
    /** Priority -> pods placed. Most clusters have one priority, and then there is nobody to look for. */
    const priorities = new Map<number, number>();
    let offset = 0;

    function count({ priority }: PodInfo, change: 1 | -1): void {
      const pods = (priorities.get(priority) ?? 0) + change;
      if (pods > 0) priorities.set(priority, pods);
      else priorities.delete(priority);
    }

    for (let slot = 0; slot < host.cluster.nodes.size; slot++) for (const pod of host.cluster.pods(slot)) count(pod, 1);

    function search(cycle: PodCycle, diagnosis: Diagnosis): { candidates: Candidate[]; message: string } {
      const possible = diagnosis.rejection ? new Int32Array(0) : diagnosis.resolvable();
      const enough = Math.max(Math.floor((possible.length * minCandidateNodesPercentage) / 100), minCandidateNodesAbsolute);
      const allowed = new Budgets(budgets.list());
      const candidates: Candidate[] = [];
      const anyLower = [...priorities.keys()].some((priority) => priority < cycle.pod.priority);
      const reasons = new Map<string, number>();
      for (
        let i = 0;
        anyLower && i < possible.length && !(candidates.length >= enough && candidates.some(({ violations }) => violations === 0));
        i++
      ) {
        // Starting elsewhere each time spreads the harm.
        const found = findVictims(host, cycle, possible[(offset + i) % possible.length] as number, allowed);
        if ('victims' in found) candidates.push(found);
        else for (const reason of found) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
      offset++;
      if (!anyLower && possible.length > 0) reasons.set(NO_VICTIMS, possible.length);
      if (possible.length < diagnosis.nodeCount) reasons.set(NOT_HELPFUL, diagnosis.nodeCount - possible.length);
      return { candidates, message: `preemption: ${fitError(diagnosis.nodeCount, reasons)}` };
    }

    async function evict(preemptor: PodInfo, schedulerName: string, victim: PodInfo, nodeName: string): Promise<void> {
      const { name, namespace, uid } = victim;
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${schedulerName}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: timestamp(),
        ...(victim.pod.metadata.generation ? { observedGeneration: victim.pod.metadata.generation } : {}),
      };
      try {
        await host.client.patch(
          PODS,
          name,
          { type: 'strategic', patch: { metadata: { uid }, status: { conditions: [condition] } } },
          { namespace, subresource: 'status' },
        );
        await host.client.delete(PODS, name, { namespace, preconditions: { uid } });
        host.event(
          { ...victim.pod, apiVersion: 'v1', kind: 'Pod' },
          'Normal',
          'Preempted',
          `Preempted by pod ${preemptor.uid} on node ${nodeName}`,
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }

    function makeRoom(cycle: PodCycle, { node, victims }: Candidate): PostFilterResult {
      const nodeName = host.cluster.nodes.name(node);
      const { pod, profile } = cycle;
      preempting.add(pod.uid);
      void Promise.allSettled(victims.map((victim) => evict(pod, profile, victim, nodeName))).then((outcomes) => {
        preempting.delete(pod.uid);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected')
            host.log.warn('a victim could not be preempted', { pod: pod.key, node: nodeName, error: String(outcome.reason) });
        }
        host.wake();
        // The victims may have gone before the pod began to wait for that.
        if (outcomes.some(({ status }) => status === 'rejected') || victims.every(({ uid }) => !isThere(host, node, uid)))
          host.activate(pod);
      });
      return { nominatedNode: nodeName, unnominate: host.nominated(node).filter(({ priority }) => priority < pod.priority) };
    }

    return {
      preEnqueue({ uid }) {
        return preempting.has(uid)
          ? { code: 'UnschedulableAndUnresolvable', reasons: ['waiting for the preemption for this pod to be finished'] }
          : undefined;
      },
      events: [],
      podAdded: (pod) => count(pod, 1),
      podRemoved: (pod) => count(pod, -1),
      postFilter(cycle, diagnosis) {
        const refusal = ineligible(host, cycle, diagnosis);
        if (refusal) return { message: `preemption: ${refusal}` };
        const { candidates, message } = search(cycle, diagnosis);
        const best = leastHarm(candidates);
        return best ? makeRoom(cycle, best) : { nominatedNode: '', message };
      },
    };
  },
};

/** Why this pod may not preempt now. */
function ineligible({ cluster }: PolicyHost, { pod }: PodCycle, diagnosis: Diagnosis): string | undefined {
  if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = cluster.nodes.slot(pod.pod.status?.nominatedNodeName ?? '');
  if (nominated < 0 || !diagnosis.resolvable().includes(nominated)) return undefined;
  for (const other of cluster.pods(nominated)) {
    if (other.priority < pod.priority && other.terminating && isConditionTrue(other.pod.status?.conditions, 'DisruptionTarget')) {
      return 'not eligible due to a terminating pod on the nominated node.';
    }
  }
  return undefined;
}

function isThere({ cluster }: PolicyHost, node: number, uid: string): boolean {
  for (const pod of cluster.pods(node)) if (pod.uid === uid) return true;
  return false;
}

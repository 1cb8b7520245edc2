import type { PodCycle, PodInfo, PolicyHost } from '@kubernel/sdk';
import type { Budgets } from './budgets.ts';

export const NO_VICTIMS = 'No preemption victims found for incoming pod';

/** A node that would fit the pod once these were gone. */
export interface Candidate {
  node: number;
  /** The most important first. */
  victims: readonly PodInfo[];
  /** Victims whose disruption budget does not allow it. */
  violations: number;
}

/**
 * The fewest and least important pods whose removal makes room on this node: all of lower priority are thought away, then
 * put back one by one, those that no budget may lose first, then by importance. Else: the reasons why not.
 */
export function findVictims(host: PolicyHost, cycle: PodCycle, node: number, budgets: Budgets): Candidate | readonly string[] {
  const lower = [...host.cluster.pods(node)].filter(({ priority }) => priority < cycle.pod.priority).sort(byImportance);
  if (lower.length === 0) return [NO_VICTIMS];
  const { violating, others } = budgets.sort(lower);
  const order = [...violating, ...others];
  const victims: PodInfo[] = [];

  /** Tries to put back the pod at `at`, and then the rest: each one that stays is there while the next is tried. */
  function putBack(at: number): void {
    const pod = order[at];
    if (!pod) return;
    const stays = host.simulate(cycle, node, { add: [pod] }, () => {
      if (host.fits(cycle, node) !== 0) return false;
      putBack(at + 1);
      return true;
    });
    if (stays) return;
    victims.push(pod);
    putBack(at + 1);
  }

  const reasons = host.simulate(cycle, node, { remove: lower }, () => {
    if (host.fits(cycle, node) !== 0) return host.reasons(cycle, node);
    putBack(0);
    return undefined;
  });
  if (reasons) return reasons;
  return { node, victims: victims.sort(byImportance), violations: victims.filter((pod) => violating.includes(pod)).length };
}

/** Higher priority first, then who has run longer. */
export function byImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a) - startOf(b);
}

export function startOf({ pod }: PodInfo): number {
  const { startTime } = pod.status ?? {};
  return startTime ? Date.parse(startTime) : Number.POSITIVE_INFINITY;
}

/**
 * The candidate that hurts least: fewest broken budgets; then the lowest of the highest priorities; then the smallest sum of
 * priorities; then the fewest victims; then those that started last; then the first.
 */
export function leastHarm(candidates: readonly Candidate[]): Candidate | undefined {
  // Priorities go down to -2^31: shifted, so that more victims never sum up to less.
  const sum = ({ victims }: Candidate) => victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0);
  const highest = ({ victims }: Candidate) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY;
  const earliest = ({ victims }: Candidate) =>
    Math.min(...victims.filter(({ priority }) => priority === victims[0]?.priority).map(startOf));
  const criteria = [(c: Candidate) => c.violations, highest, sum, (c: Candidate) => c.victims.length, (c: Candidate) => -earliest(c)];
  let left = [...candidates];
  for (const criterion of criteria) {
    if (left.length <= 1) break;
    const best = Math.min(...left.map(criterion));
    left = left.filter((candidate) => criterion(candidate) === best);
  }
  return left[0];
}

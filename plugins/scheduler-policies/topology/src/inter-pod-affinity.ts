import { ClusterEvents, NodeChange, PASS, type PodInfo, type SchedulerPolicy, UNRESOLVABLE, UNSCHEDULABLE } from '@kubernel/sdk';
import type { Namespace } from '@kubernel/sdk/api';
import { NAMESPACES } from '@kubernel/sdk/client';
import { type PodTerms, TermCompiler } from './affinity-terms.ts';
import { PodCounts } from './pod-counts.ts';
import type { DomainTally } from './tally.ts';
import { TermHolders } from './term-holders.ts';

/** Config of `scheduler-policy/inter-pod-affinity`: upstream's InterPodAffinityArgs. */
export interface InterPodAffinityArgs {
  /** What a placed pod's required affinity counts in the score of a node. Default 1, 0..100. */
  hardPodAffinityWeight?: number;
  /** Don't score what placed pods prefer. Default false. */
  ignorePreferredTermsOfExistingPods?: boolean;
}

const AFFINITY = ["node(s) didn't match pod affinity rules"];
const ANTI_AFFINITY = ["node(s) didn't match pod anti-affinity rules"];
const EXISTING = ["node(s) didn't satisfy existing pods anti-affinity rules"];

interface WeightedDomain {
  domain: DomainTally;
  weight: number;
}

/**
 * Pod affinity and anti-affinity, required and preferred, the newcomer's and that of the pods already there
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity).
 * All of it is counted by topology domain when a pod is placed; a cycle only reads the counts.
 */
export const interPodAffinity: SchedulerPolicy = {
  name: 'InterPodAffinity',
  weight: 2,
  create: (host, args) => {
    const { hardPodAffinityWeight = 1, ignorePreferredTermsOfExistingPods = false } = args as InterPodAffinityArgs;
    const { cluster } = host;
    const { nodes } = cluster;
    const namespaces = host.informer<Namespace>(NAMESPACES);
    const compiler = new TermCompiler((name) => namespaces.get(name)?.metadata.labels ?? (namespaces.get(name) ? {} : undefined));
    const counts = new PodCounts(cluster);
    const repelling = new TermHolders();
    const preferring = new TermHolders();
    const column = (key: string) => nodes.label(key);

    // What the pod of this cycle asks; see preFilter and preScore.
    let attracted: DomainTally[] = [];
    let mayStart = false;
    let repelled: DomainTally[] = [];
    let unwelcome: DomainTally[] = [];
    let weighted: WeightedDomain[] = [];

    function count(pod: PodInfo, slot: number, sign: 1 | -1): void {
      const terms = compiler.termsOf(pod);
      if (!terms) return;
      for (const term of terms.antiAffinity) repelling.change(term, slot, 1, sign);
      if (hardPodAffinityWeight > 0) for (const term of terms.affinity) preferring.change(term, slot, hardPodAffinityWeight, sign);
      if (!ignorePreferredTermsOfExistingPods) for (const { term, weight } of terms.preferred) preferring.change(term, slot, weight, sign);
    }

    function isAttracted(slot: number): boolean {
      for (const {
        column: { ids },
        sums,
      } of attracted) {
        const id = ids[slot] as number;
        if (id === 0 || (sums[id] === 0 && !mayStart)) return false;
      }
      return true;
    }

    for (let slot = 0; slot < nodes.size; slot++) for (const pod of cluster.pods(slot)) count(pod, slot, 1);
    const unwatch = namespaces.on({
      update(namespace, old) {
        if (JSON.stringify(namespace.metadata.labels) === JSON.stringify(old.metadata.labels)) return;
        counts.namespacesChanged();
        host.wake();
      },
      add: () => counts.namespacesChanged(),
    });

    return {
      dispose: unwatch,
      podAdded(pod, slot) {
        counts.podAdded(pod, slot);
        count(pod, slot, 1);
      },
      podRemoved(pod, slot) {
        counts.podRemoved(pod, slot);
        count(pod, slot, -1);
      },
      nodeChanged(_, changes) {
        if (changes & NodeChange.Labels) for (const tallies of [counts, repelling, preferring]) tallies.nodesChanged();
      },

      preFilter({ pod }) {
        const terms = compiler.termsOf(pod);
        unwelcome = repelling.meaning(pod, column);
        repelled = terms ? terms.antiAffinity.map((term) => counts.of(term).domains(column(term.topologyKey))) : [];
        attracted = [];
        if (terms?.affinityQuery) {
          const tally = counts.of(terms.affinityQuery);
          attracted = terms.affinity.map((term) => tally.domains(column(term.topologyKey)));
          // The first of its kind: nobody to be near to yet, and it would be near to itself.
          mayStart = attracted.every((domain) => domain.total === 0) && terms.affinityQuery.matches(pod);
        }
        return attracted.length + repelled.length + unwelcome.length === 0 ? { skip: true } : undefined;
      },
      filter(_, slot) {
        if (!isAttracted(slot)) return UNRESOLVABLE;
        return isOccupied(repelled, slot) || isOccupied(unwelcome, slot) ? UNSCHEDULABLE : PASS;
      },
      filterAll(_, verdicts, mark) {
        for (const {
          column: { ids },
          sums,
        } of attracted) {
          for (let slot = 0; slot < nodes.size; slot++) {
            const id = ids[slot] as number;
            if (verdicts[slot] === 0 && (id === 0 || (sums[id] === 0 && !mayStart))) verdicts[slot] = mark + 1;
          }
        }
        for (const domains of [repelled, unwelcome]) {
          for (const {
            column: { ids },
            sums,
          } of domains) {
            for (let slot = 0; slot < nodes.size; slot++)
              if (sums[ids[slot] as number] !== 0 && verdicts[slot] === 0) verdicts[slot] = mark;
          }
        }
      },
      reasons(_, slot) {
        if (!isAttracted(slot)) return AFFINITY;
        return isOccupied(repelled, slot) ? ANTI_AFFINITY : EXISTING;
      },
      events: [
        {
          events: ClusterEvents.PodGone,
          hint: (waiting, { pod }) =>
            pod !== undefined && (repels(compiler.termsOf(waiting), pod) || repels(compiler.termsOf(pod), waiting)),
        },
        { events: ClusterEvents.PodPlaced, hint: (waiting, { pod }) => pod !== undefined && attracts(compiler.termsOf(waiting), pod) },
        { events: ClusterEvents.PodLabels | ClusterEvents.NodeAdded | ClusterEvents.NodeLabels | ClusterEvents.Other },
      ],

      preScore({ pod }) {
        weighted = [];
        for (const { term, weight } of compiler.termsOf(pod)?.preferred ?? []) {
          const domain = counts.of(term).domains(column(term.topologyKey));
          if (domain.total !== 0) weighted.push({ domain, weight });
        }
        for (const domain of preferring.meaning(pod, column)) weighted.push({ domain, weight: 1 });
        return weighted.length ? undefined : 'skip';
      },
      scoreAll(_, feasible, scores) {
        scores.fill(0);
        for (const { domain, weight } of weighted) {
          const {
            column: { ids },
            sums,
          } = domain;
          for (let k = 0; k < feasible.length; k++) {
            scores[k] = (scores[k] as number) + weight * (sums[ids[feasible[k] as number] as number] as number);
          }
        }
      },
      normalize(_, __, scores) {
        let min = Number.POSITIVE_INFINITY;
        let max = Number.NEGATIVE_INFINITY;
        for (const score of scores) {
          if (score < min) min = score;
          if (score > max) max = score;
        }
        const range = max - min;
        for (let k = 0; k < scores.length; k++) scores[k] = range > 0 ? Math.trunc(100 * (((scores[k] as number) - min) / range)) : 0;
      },
    };
  },
};

function isOccupied(domains: readonly DomainTally[], slot: number): boolean {
  for (const {
    column: { ids },
    sums,
  } of domains)
    if (sums[ids[slot] as number] !== 0) return true;
  return false;
}

function repels(terms: PodTerms | undefined, other: PodInfo): boolean {
  return terms?.antiAffinity.some((term) => term.matches(other)) ?? false;
}

function attracts(terms: PodTerms | undefined, other: PodInfo): boolean {
  return terms?.affinityQuery?.matches(other) ?? false;
}

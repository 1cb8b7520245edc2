import { ClusterEvents, NodeChange, PASS, type PodInfo, type SchedulerPolicy, UNRESOLVABLE, UNSCHEDULABLE } from '@kubernel/sdk';
import { requiredNodeAffinity, type TopologySpreadConstraint, untolerated } from '@kubernel/sdk/api';
import { DefaultSelectors } from './default-selectors.ts';
import { PodCounts } from './pod-counts.ts';
import { type Constraint, type Constraints, compileConstraints, SYSTEM_DEFAULTS } from './spread-constraints.ts';
import { SpreadTally } from './spread-tally.ts';

/** Config of `scheduler-policy/topology-spread`: upstream's PodTopologySpreadArgs. */
export interface TopologySpreadArgs {
  defaultingType?: 'System' | 'List';
  defaultConstraints?: TopologySpreadConstraint[];
}

const HOSTNAME = 'kubernetes.io/hostname';
const SKEW = ["node(s) didn't match pod topology spread constraints"];
const NO_LABEL = ["node(s) didn't match pod topology spread constraints (missing required label)"];
const HARD_TAINTS = ['NoSchedule', 'NoExecute'];
const NO_CONSTRAINTS: Constraints = { hard: [], soft: [], allKeys: true };
/** Marks nodes that are left out between scoring and normalizing. */
const LEFT_OUT = -1;
const CACHED = 4096;

/** A hard constraint in this cycle. */
interface Limit {
  tally: SpreadTally;
  /** A domain may hold at most this many matching pods before the newcomer. */
  most: number;
}

/**
 * topologySpreadConstraints (https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/). Pods are
 * counted by domain when they are placed (see {@link SpreadTally}); a cycle reads the counts and finds the emptiest domain.
 */
export const topologySpread: SchedulerPolicy = {
  name: 'PodTopologySpread',
  weight: 2,
  create: (host, args) => {
    const { defaultingType = 'System', defaultConstraints = [] } = args as TopologySpreadArgs;
    const { cluster } = host;
    const { nodes } = cluster;
    const defaults = defaultingType === 'System' ? SYSTEM_DEFAULTS : defaultConstraints;
    const selectors = defaults.length ? new DefaultSelectors(host) : undefined;
    const counts = new PodCounts(cluster);
    const byPod = new WeakMap<PodInfo, Constraints>();
    const byText = new Map<string, Constraints>();
    let limits: Limit[] = [];
    let soft: Constraints = NO_CONSTRAINTS;
    let stamps = new Int32Array(64);
    let stamp = 0;

    function constraintsOf(pod: PodInfo): Constraints {
      const own = pod.pod.spec.topologySpreadConstraints;
      if (!own?.length) return defaultsOf(pod);
      let constraints = byPod.get(pod);
      if (!constraints) {
        const body = JSON.stringify(own);
        const text = `${pod.namespace}|${body.includes('"matchLabelKeys":[') ? JSON.stringify(pod.labels) : ''}|${body}`;
        constraints = byText.get(text);
        if (!constraints) {
          constraints = compileConstraints(own, pod, true);
          if (byText.size >= CACHED) byText.clear();
          byText.set(text, constraints);
        }
        byPod.set(pod, constraints);
      }
      return constraints;
    }

    function defaultsOf(pod: PodInfo): Constraints {
      const selector = selectors?.of(pod);
      return selector ? compileConstraints(defaults, pod, defaultingType !== 'System', selector) : NO_CONSTRAINTS;
    }

    /** Counts of a constraint over the nodes that are eligible for this pod. */
    function tallyOf(constraint: Constraint, pod: PodInfo, keys: readonly string[]): SpreadTally {
      const { spec } = pod.pod;
      const required = constraint.honorAffinity
        ? [spec.nodeSelector, spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution]
        : 0;
      const tolerations = constraint.honorTaints ? (spec.tolerations ?? []) : 0;
      const eligibility = `spread:${JSON.stringify([required, tolerations, keys])}`;
      const eligible = () => {
        let matches: ReturnType<typeof requiredNodeAffinity>;
        let compiled = false;
        return nodes.derive(eligibility, NodeChange.Labels | NodeChange.Taints, (node) => {
          if (!compiled) {
            matches = constraint.honorAffinity ? requiredNodeAffinity(pod.pod) : undefined;
            compiled = true;
          }
          const labels = node.metadata.labels ?? {};
          if (keys.some((key) => labels[key] === undefined)) return 0;
          if (matches && !matches(node)) return 0;
          return constraint.honorTaints && untolerated(node.spec?.taints ?? [], spec.tolerations ?? [], HARD_TAINTS) ? 0 : 1;
        });
      };
      const column = nodes.label(constraint.topologyKey);
      const pods = counts.of(constraint.query);
      return pods.view(`${constraint.topologyKey}|${eligibility}`, () => new SpreadTally(pods, column, nodes, eligible)).refresh();
    }

    function limitOf(constraint: Constraint, pod: PodInfo, keys: readonly string[]): Limit {
      const tally = tallyOf(constraint, pod, keys);
      const self = constraint.selector.matches(pod.labels) ? 1 : 0;
      return { tally, most: tally.smallest(constraint.minDomains) + constraint.maxSkew - self };
    }

    /** How many domains the feasible nodes make up. */
    function domainsAmong(feasible: Int32Array, scores: Float64Array, ids: Int32Array, size: number): number {
      if (stamps.length < size) stamps = new Int32Array(size * 2);
      stamp++;
      let count = 0;
      for (let k = 0; k < feasible.length; k++) {
        const id = ids[feasible[k] as number] as number;
        if (scores[k] === LEFT_OUT || stamps[id] === stamp) continue;
        stamps[id] = stamp;
        count++;
      }
      return count;
    }

    const affects = (waiting: PodInfo, other: PodInfo | undefined) =>
      other === undefined ||
      (other.namespace === waiting.namespace && constraintsOf(waiting).hard.some(({ selector }) => selector.matches(other.labels)));

    return {
      podAdded: (pod, slot) => counts.podAdded(pod, slot),
      podRemoved: (pod, slot) => counts.podRemoved(pod, slot),
      nodeChanged(_, changes) {
        if (changes & (NodeChange.Labels | NodeChange.Taints)) counts.nodesChanged();
      },
      nodeRemoved: () => counts.nodesChanged(),

      preFilter({ pod }) {
        const { hard } = constraintsOf(pod);
        if (hard.length === 0) return { skip: true };
        const keys = hard.map(({ topologyKey }) => topologyKey);
        limits = hard.map((constraint) => limitOf(constraint, pod, keys));
        return undefined;
      },
      filter(_, slot) {
        for (const { tally, most } of limits) {
          const id = tally.column.ids[slot] as number;
          if (id === 0) return UNRESOLVABLE;
          if ((tally.sums[id] as number) > most) return UNSCHEDULABLE;
        }
        return PASS;
      },
      filterAll(_, verdicts, mark) {
        for (const { tally, most } of limits) {
          const { sums } = tally;
          const { ids } = tally.column;
          for (let slot = 0; slot < nodes.size; slot++) {
            if (verdicts[slot] !== 0) continue;
            const id = ids[slot] as number;
            if (id === 0) verdicts[slot] = mark + 1;
            else if ((sums[id] as number) > most) verdicts[slot] = mark;
          }
        }
      },
      reasons: (_, slot) => {
        for (const { tally, most } of limits) {
          const id = tally.column.ids[slot] as number;
          if (id === 0) return NO_LABEL;
          if ((tally.sums[id] as number) > most) return SKEW;
        }
        return SKEW;
      },
      events: [
        {
          events: ClusterEvents.PodPlaced | ClusterEvents.PodGone | ClusterEvents.PodLabels,
          hint: (waiting, { pod, events }) => (events & ClusterEvents.PodLabels) !== 0 || affects(waiting, pod),
        },
        { events: ClusterEvents.NodeAdded | ClusterEvents.NodeRemoved | ClusterEvents.NodeLabels | ClusterEvents.NodeTaints },
      ],

      preScore({ pod }) {
        soft = constraintsOf(pod);
        return soft.soft.length ? undefined : 'skip';
      },
      scoreAll({ pod }, feasible, scores) {
        const keys = soft.allKeys ? soft.soft.map(({ topologyKey }) => topologyKey) : [];
        const tallies = soft.soft.map((constraint) => ({ constraint, tally: tallyOf(constraint, pod, keys) }));
        let scored = feasible.length;
        scores.fill(0);
        if (soft.allKeys) {
          for (const { tally } of tallies) {
            const { ids } = tally.column;
            for (let k = 0; k < feasible.length; k++) {
              if (ids[feasible[k] as number] !== 0 || scores[k] === LEFT_OUT) continue;
              scores[k] = LEFT_OUT;
              scored--;
            }
          }
        }
        for (const { constraint, tally } of tallies) {
          const { ids, size } = tally.column;
          const byNode = constraint.topologyKey === HOSTNAME;
          const weight = Math.log((byNode ? scored : domainsAmong(feasible, scores, ids, size)) + 2);
          const { perNode } = tally.pods;
          const { sums } = tally;
          for (let k = 0; k < feasible.length; k++) {
            const slot = feasible[k] as number;
            const id = ids[slot] as number;
            if (scores[k] === LEFT_OUT || id === 0) continue;
            const count = byNode ? (perNode[slot] ?? 0) : (sums[id] as number);
            scores[k] = (scores[k] as number) + count * weight + (constraint.maxSkew - 1);
          }
        }
        for (let k = 0; k < feasible.length; k++) if (scores[k] !== LEFT_OUT) scores[k] = Math.round(scores[k] as number);
      },
      /** The fewer the better: the fullest gets what the emptiest has over nothing. */
      normalize(_, __, scores) {
        let min = Number.POSITIVE_INFINITY;
        let max = 0;
        for (const score of scores) {
          if (score === LEFT_OUT) continue;
          if (score < min) min = score;
          if (score > max) max = score;
        }
        for (let k = 0; k < scores.length; k++) {
          const score = scores[k] as number;
          if (score === LEFT_OUT) scores[k] = 0;
          else scores[k] = max === 0 ? 100 : Math.floor((100 * (max + min - score)) / max);
        }
      },
    };
  },
};

import { ClusterEvents, NodeChange, PASS, type PodInfo, type SchedulerPolicy, UNRESOLVABLE } from '@kubernel/sdk';
import {
  compileNodeSelector,
  compileNodeSelectorTerm,
  type NodeAffinity,
  type NodeMatcher,
  type Pod,
  requiredNodeAffinity,
} from '@kubernel/sdk/api';
import { normalizeToHundred } from './normalize.ts';

const REASONS = ["node(s) didn't match Pod's node affinity/selector"];
const REASONS_ADDED = ["node(s) didn't match scheduler-enforced node affinity"];

/**
 * nodeSelector and node affinity (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/). A pod that
 * names its nodes by `metadata.name`, as DaemonSet pods do, is looked at on those alone. `args.addedAffinity` is a
 * NodeAffinity that every pod of the profile has besides its own.
 */
export const nodeAffinity: SchedulerPolicy = {
  name: 'NodeAffinity',
  weight: 2,
  create: ({ cluster: { nodes } }, args) => {
    const added = args['addedAffinity'] as NodeAffinity | undefined;
    const addedRequired = added?.requiredDuringSchedulingIgnoredDuringExecution;
    const addedMatches = addedRequired ? compileNodeSelector(addedRequired) : undefined;
    const addedPreferred = added?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const addedKey = JSON.stringify(added ?? null);
    let matches: NodeMatcher | undefined;

    function mask(pod: Pod): Int32Array {
      const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
      const key = `node-affinity:${addedKey}:${JSON.stringify([pod.spec.nodeSelector, required])}`;
      return nodes.derive(key, NodeChange.Labels, compileMask(pod));
    }

    /** Compiled on the first node only: the column exists already for most pods. */
    function compileMask(pod: Pod): (node: Parameters<NodeMatcher>[0]) => number {
      let compiled: NodeMatcher | undefined;
      let ready = false;
      return (node) => {
        if (!ready) {
          compiled = requiredNodeAffinity(pod);
          ready = true;
        }
        if (addedMatches && !addedMatches(node)) return 0;
        return compiled === undefined || compiled(node) ? 1 : 0;
      };
    }

    function preferred(pod: Pod): Int32Array {
      const own = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      let terms: { weight: number; matches: NodeMatcher }[] | undefined;
      return nodes.derive(`preferred-node-affinity:${addedKey}:${JSON.stringify(own)}`, NodeChange.Labels, (node) => {
        terms ??= [...own, ...addedPreferred].map(({ weight, preference }) => ({ weight, matches: compileNodeSelectorTerm(preference) }));
        let sum = 0;
        for (const term of terms) if (term.weight !== 0 && term.matches(node)) sum += term.weight;
        return sum;
      });
    }

    const fitsNode = ({ pod }: PodInfo, slot: number): boolean => {
      const own = requiredNodeAffinity(pod);
      const node = nodes.node(slot);
      return (addedMatches === undefined || addedMatches(node)) && (own === undefined || own(node));
    };

    return {
      preFilter({ pod }) {
        matches = undefined;
        const { spec } = pod.pod;
        const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
        if (!addedMatches && !required && !hasKeys(spec.nodeSelector)) return { skip: true };
        const names = required ? namedNodes(required.nodeSelectorTerms ?? []) : undefined;
        if (names === undefined) return undefined;
        if (names.size === 0) return { reject: { code: 'UnschedulableAndUnresolvable', reasons: ['pod affinity terms conflict'] } };
        matches = requiredNodeAffinity(pod.pod);
        return { nodes: [...names].map((name) => nodes.slot(name)).filter((slot) => slot >= 0) };
      },
      filter({ pod }, slot) {
        // Named nodes differ with each pod: a column for each would be built and thrown away.
        if (matches) {
          const node = nodes.node(slot);
          return matches(node) && (addedMatches === undefined || addedMatches(node)) ? PASS : UNRESOLVABLE;
        }
        return mask(pod.pod)[slot] ? PASS : UNRESOLVABLE;
      },
      filterAll({ pod }, verdicts, mark) {
        const column = mask(pod.pod);
        for (let slot = 0; slot < nodes.size; slot++) if (column[slot] === 0 && verdicts[slot] === 0) verdicts[slot] = mark + 1;
      },
      reasons: (_, slot) => (addedMatches && !addedMatches(nodes.node(slot)) ? REASONS_ADDED : REASONS),
      events: [{ events: ClusterEvents.NodeAdded | ClusterEvents.NodeLabels, hint: (pod, { node }) => node < 0 || fitsNode(pod, node) }],
      preScore: ({ pod }) =>
        addedPreferred.length || pod.pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length
          ? undefined
          : 'skip',
      scoreAll({ pod }, feasible, scores) {
        const column = preferred(pod.pod);
        for (let k = 0; k < feasible.length; k++) scores[k] = column[feasible[k] as number] as number;
      },
      normalize: (_, __, scores) => normalizeToHundred(scores),
    };
  },
};

/** Names the terms allow, when each of them names nodes; undefined when one does not. */
function namedNodes(terms: readonly { matchFields?: { key: string; operator: string; values?: string[] }[] }[]): Set<string> | undefined {
  const all = new Set<string>();
  for (const { matchFields = [] } of terms) {
    let named: Set<string> | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key !== 'metadata.name' || operator !== 'In') continue;
      named = new Set(named ? values.filter((name) => named?.has(name)) : values);
    }
    if (!named) return undefined;
    for (const name of named) all.add(name);
  }
  return terms.length ? all : undefined;
}

function hasKeys(map: Record<string, string> | undefined): boolean {
  for (const _ in map) return true;
  return false;
}

import type { PodInfo } from '@kubernel/sdk';
import { type LabelSelector, Selector, selectorOf, type TopologySpreadConstraint } from '@kubernel/sdk/api';
import type { PodQuery } from './pod-counts.ts';

/** A topology spread constraint of one pod template, compiled. */
export interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly minDomains: number;
  /** Only nodes that the pod's nodeSelector and affinity allow count as domains. */
  readonly honorAffinity: boolean;
  /** Only nodes whose taints the pod tolerates do. */
  readonly honorTaints: boolean;
  /** The pods it spreads. */
  readonly query: PodQuery;
  readonly selector: Selector;
}

export interface Constraints {
  /** DoNotSchedule. */
  readonly hard: readonly Constraint[];
  /** ScheduleAnyway. */
  readonly soft: readonly Constraint[];
  /** Nodes that lack one of the topology keys are left out (not so for the cluster's own defaults). */
  readonly allKeys: boolean;
}

/** Hosts and zones, softly: what upstream gives pods without constraints. */
export const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { maxSkew: 3, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
];

/** `selector` stands in for the constraints' own (defaults have none). */
export function compileConstraints(
  list: readonly TopologySpreadConstraint[],
  pod: PodInfo,
  allKeys: boolean,
  selector?: Selector,
): Constraints {
  const compile = (wanted: string): Constraint[] =>
    list.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === wanted).map((constraint) => compileOne(constraint, pod, selector));
  return { hard: compile('DoNotSchedule'), soft: compile('ScheduleAnyway'), allKeys };
}

function compileOne(constraint: TopologySpreadConstraint, pod: PodInfo, given: Selector | undefined): Constraint {
  const { maxSkew, topologyKey, minDomains = 1, nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = constraint;
  const selector = given ?? selectorOf(withLabelKeys(constraint, pod.labels));
  const { namespace } = pod;
  return {
    maxSkew,
    topologyKey,
    minDomains,
    honorAffinity: nodeAffinityPolicy === 'Honor',
    honorTaints: nodeTaintsPolicy === 'Honor',
    selector,
    query: {
      key: `${namespace}|${selector === Selector.nothing ? '-' : selector.toString()}`,
      selectors: [selector],
      matches: (other) => other.namespace === namespace && !other.terminating && selector.matches(other.labels),
    },
  };
}

/** matchLabelKeys: also like this pod in these labels, as far as it has them (KEP-3243). */
function withLabelKeys(
  { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint,
  labels: Readonly<Record<string, string>>,
): LabelSelector | undefined {
  const has = matchLabelKeys.filter((key) => labels[key] !== undefined);
  if (!labelSelector || has.length === 0) return labelSelector;
  const same = has.map((key) => ({ key, operator: 'In', values: [labels[key] as string] }));
  return { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...same] };
}

import type { PodInfo } from '@kubernel/sdk';
import { type LabelSelector, type PodAffinity, type PodAffinityTerm, Selector, selectorOf } from '@kubernel/sdk/api';
import type { PodQuery } from './pod-counts.ts';

/** Looks up labels of a namespace; undefined when it is not known. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** A pod (anti-)affinity term as a question about other pods. */
export interface Term extends PodQuery {
  readonly topologyKey: string;
}

export interface WeightedTerm {
  term: Term;
  /** Negative for anti-affinity. */
  weight: number;
}

/** All a pod says about other pods. */
export interface PodTerms {
  affinity: readonly Term[];
  /** The required affinity terms as one question: pods that match all of them. */
  affinityQuery: PodQuery | undefined;
  antiAffinity: readonly Term[];
  preferred: readonly WeightedTerm[];
}

const CACHED = 4096;

/** Compiles the affinity of pods; pods of one template share the result. */
export class TermCompiler {
  readonly #byPod = new WeakMap<PodInfo, PodTerms>();
  readonly #byText = new Map<string, PodTerms>();
  readonly #namespaceLabels: NamespaceLabels;

  constructor(namespaceLabels: NamespaceLabels) {
    this.#namespaceLabels = namespaceLabels;
  }

  termsOf(info: PodInfo): PodTerms | undefined {
    const affinity = info.pod.spec.affinity;
    if (!affinity?.podAffinity && !affinity?.podAntiAffinity) return undefined;
    let terms = this.#byPod.get(info);
    if (!terms) {
      const body = JSON.stringify([affinity.podAffinity, affinity.podAntiAffinity]);
      const labels = body.includes('atchLabelKeys":[') ? JSON.stringify(info.labels) : '';
      const text = `${info.namespace}|${labels}|${body}`;
      terms = this.#byText.get(text);
      if (!terms) {
        terms = this.#compile(info, affinity.podAffinity, affinity.podAntiAffinity);
        if (this.#byText.size >= CACHED) this.#byText.clear();
        this.#byText.set(text, terms);
      }
      this.#byPod.set(info, terms);
    }
    return terms;
  }

  #compile(info: PodInfo, attract: PodAffinity | undefined, repel: PodAffinity | undefined): PodTerms {
    const compile = (term: PodAffinityTerm): Term => this.#term(term, info);
    const affinity = (attract?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(compile);
    return {
      affinity,
      affinityQuery: affinity.length ? all(affinity) : undefined,
      antiAffinity: (repel?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(compile),
      preferred: [
        ...(attract?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({
          term: compile(podAffinityTerm),
          weight,
        })),
        ...(repel?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({
          term: compile(podAffinityTerm),
          weight: -weight,
        })),
      ],
    };
  }

  /** Neither namespaces nor a namespaceSelector: the pod's own namespace. An empty namespaceSelector: all of them. */
  #term(term: PodAffinityTerm, info: PodInfo): Term {
    const { topologyKey, namespaces = [], namespaceSelector } = term;
    const selector = selectorOf(withLabelKeys(term, info.labels));
    const names = new Set(namespaces.length === 0 && !namespaceSelector ? [info.namespace] : namespaces);
    const byLabels = namespaceSelector ? selectorOf(namespaceSelector) : Selector.nothing;
    const everywhere = byLabels.empty;
    const labelsOf = this.#namespaceLabels;
    return {
      key: JSON.stringify([[...names].sort(), namespaceSelector, selector.toString(), selector === Selector.nothing]),
      topologyKey,
      selectors: [selector],
      byNamespaceLabels: namespaceSelector !== undefined && !everywhere,
      matches(pod) {
        if (!everywhere && !names.has(pod.namespace)) {
          if (!namespaceSelector) return false;
          const labels = labelsOf(pod.namespace);
          if (!labels || !byLabels.matches(labels)) return false;
        }
        return selector.matches(pod.labels);
      },
    };
  }
}

/** Pods that match all terms. */
function all(terms: readonly Term[]): PodQuery {
  if (terms.length === 1) return terms[0] as Term;
  return {
    key: `all:${terms.map(({ key }) => key).join('&')}`,
    selectors: terms.flatMap(({ selectors }) => selectors),
    byNamespaceLabels: terms.some(({ byNamespaceLabels }) => byNamespaceLabels),
    matches: (pod) => terms.every((term) => term.matches(pod)),
  };
}

/** matchLabelKeys: as this pod has it; mismatchLabelKeys: other than this pod has it (KEP-3633). Keys it lacks don't count. */
function withLabelKeys(term: PodAffinityTerm, labels: Readonly<Record<string, string>>): LabelSelector | undefined {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return labelSelector;
  const added = (keys: readonly string[], operator: string) =>
    keys.filter((key) => labels[key] !== undefined).map((key) => ({ key, operator, values: [labels[key] as string] }));
  const expressions = labelSelector.matchExpressions ?? [];
  return { ...labelSelector, matchExpressions: [...expressions, ...added(matchLabelKeys, 'In'), ...added(mismatchLabelKeys, 'NotIn')] };
}

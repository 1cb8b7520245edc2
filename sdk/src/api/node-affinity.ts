import type { Node, NodeSelector, NodeSelectorTerm, Pod } from './kinds/index.ts';

/** Says whether a node is selected. */
export type NodeMatcher = (node: Node) => boolean;

/**
 * A NodeSelector as a function: terms are or-ed, requirements within a term and-ed; a term without requirements selects
 * nothing, and so does a requirement that cannot be read (an unknown operator, `Gt` without a whole number).
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
 */
export function compileNodeSelector(selector: NodeSelector): NodeMatcher {
  const terms = (selector.nodeSelectorTerms ?? []).map(compileNodeSelectorTerm);
  if (terms.length === 1) return terms[0] as NodeMatcher;
  return (node) => terms.some((matches) => matches(node));
}

export function compileNodeSelectorTerm(term: NodeSelectorTerm): NodeMatcher {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length + fields.length === 0) return () => false;
  const onLabels = expressions.map(({ key, operator, values = [] }) => ({ key, test: compileRequirement(operator, values) }));
  const onFields = fields.map(({ key, operator, values = [] }) => ({ key, test: compileRequirement(operator, values) }));
  return (node) => {
    const labels = node.metadata.labels;
    for (const { key, test } of onLabels) {
      if (!test(labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined)) return false;
    }
    for (const { key, test } of onFields) {
      if (key !== 'metadata.name' || !test(node.metadata.name)) return false;
    }
    return true;
  };
}

/** `nodeSelector` and required node affinity of a pod, or undefined when it has neither. */
export function requiredNodeAffinity(pod: Pod): NodeMatcher | undefined {
  const labels = Object.entries(pod.spec.nodeSelector ?? {});
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (labels.length === 0 && !required) return undefined;
  const matches = required ? compileNodeSelector(required) : undefined;
  return (node) => {
    const has = node.metadata.labels;
    for (const [key, value] of labels) {
      if (has === undefined || !Object.hasOwn(has, key) || has[key] !== value) return false;
    }
    return matches === undefined || matches(node);
  };
}

function compileRequirement(operator: string, values: readonly string[]): (value: string | undefined) => boolean {
  switch (operator) {
    case 'In': {
      const allowed = new Set(values);
      return (value) => value !== undefined && allowed.has(value);
    }
    case 'NotIn': {
      const refused = new Set(values);
      return (value) => value === undefined || !refused.has(value);
    }
    case 'Exists':
      return (value) => value !== undefined;
    case 'DoesNotExist':
      return (value) => value === undefined;
    case 'Gt':
    case 'Lt': {
      const bound = wholeNumber(values[0]);
      if (bound === undefined || values.length !== 1) return () => false;
      return (value) => {
        const actual = wholeNumber(value);
        return actual !== undefined && (operator === 'Gt' ? actual > bound : actual < bound);
      };
    }
    default:
      return () => false;
  }
}

function wholeNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined;
}

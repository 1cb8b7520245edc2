/** What a pod costs its namespace. https://kubernetes.io/docs/concepts/policy/resource-quotas/#compute-resource-quota */
import type { KubeObject } from '@kubernel/sdk/api';
import { parseQuantity, type Quantity } from '@kubernel/sdk/api';
import type { Amounts } from './amounts.ts';
import { addTo, ONE } from './amounts.ts';

type List = Record<string, string>;

interface Container {
  name: string;
  restartPolicy?: string;
  resources?: { requests?: List; limits?: List };
}

export interface Pod extends KubeObject {
  spec: {
    containers: Container[];
    initContainers?: Container[];
    overhead?: List;
    resources?: { requests?: List; limits?: List };
    activeDeadlineSeconds?: number;
    priorityClassName?: string;
    affinity?: Record<string, unknown>;
  };
  status?: { phase?: string };
}

const COMPUTE = new Set(['cpu', 'memory', 'ephemeral-storage']);

export function podUsage(pod: Pod): Amounts {
  const usage = new Map<string, Quantity>();
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return usage;
  usage.set('pods', ONE);
  for (const [name, amount] of total(pod, 'requests')) {
    if (COMPUTE.has(name) || name.startsWith('hugepages-')) {
      addTo(usage, name, amount);
      addTo(usage, `requests.${name}`, amount);
    } else if (isExtended(name)) {
      addTo(usage, `requests.${name}`, amount);
    }
  }
  for (const [name, amount] of total(pod, 'limits')) if (COMPUTE.has(name)) addTo(usage, `limits.${name}`, amount);
  return usage;
}

function isExtended(name: string): boolean {
  const slash = name.indexOf('/');
  return slash > 0 && !name.slice(0, slash).endsWith('kubernetes.io');
}

function total(pod: Pod, field: 'requests' | 'limits'): Map<string, Quantity> {
  const sum = new Map<string, Quantity>();
  const most = new Map<string, Quantity>();
  const sidecars = new Map<string, Quantity>();
  const add = (to: Map<string, Quantity>, list: List | undefined): void => {
    for (const [name, text] of Object.entries(list ?? {})) addTo(to, name, parseQuantity(text));
  };
  for (const { resources } of pod.spec.containers) add(sum, resources?.[field]);
  for (const { resources, restartPolicy } of pod.spec.initContainers ?? []) {
    const own = new Map(sidecars);
    add(own, resources?.[field]);
    keepLargest(most, own);
    if (restartPolicy !== 'Always') continue;
    add(sum, resources?.[field]);
    add(sidecars, resources?.[field]);
  }
  keepLargest(sum, most);
  for (const [name, text] of Object.entries(pod.spec.resources?.[field] ?? {})) sum.set(name, parseQuantity(text));
  for (const [name, text] of Object.entries(pod.spec.overhead ?? {}))
    if (field === 'requests' || sum.has(name)) addTo(sum, name, parseQuantity(text));
  return sum;
}

function keepLargest(sum: Map<string, Quantity>, other: Amounts): void {
  for (const [name, amount] of other) if (!sum.has(name) || amount.compare(sum.get(name) as Quantity) > 0) sum.set(name, amount);
}

const MUST_SPECIFY = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

/** A quota over compute resources makes every container say how much it wants: what is missing, or undefined. */
export function podConstraints(pod: Pod, hard: readonly string[]): string | undefined {
  const missing = new Map<string, Set<string>>();
  const required = MUST_SPECIFY.filter((name) => hard.includes(name)).sort();
  for (const { name, resources } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    for (const resource of required) {
      const [field, plain] = resource.startsWith('limits.')
        ? (['limits', resource.slice(7)] as const)
        : (['requests', resource.replace('requests.', '')] as const);
      if (resources?.[field]?.[plain] !== undefined || pod.spec.resources?.[field]?.[plain] !== undefined) continue;
      missing.set(resource, (missing.get(resource) ?? new Set()).add(name));
    }
  }
  if (missing.size === 0) return undefined;
  return `must specify ${[...missing].map(([resource, names]) => `${resource} for: ${[...names].sort().join(',')}`).join('; ')}`;
}

interface Requirement {
  scopeName: string;
  operator: string;
  values?: string[];
}

export interface Scoped {
  scopes?: string[];
  scopeSelector?: { matchExpressions?: Requirement[] };
}

/** Does the quota count this pod? */
export function podInScope(pod: Pod, { scopes, scopeSelector }: Scoped): boolean {
  const plain = (scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...plain, ...(scopeSelector?.matchExpressions ?? [])].every((requirement) => matches(pod, requirement));
}

function matches(pod: Pod, { scopeName, operator, values }: Requirement): boolean {
  switch (scopeName) {
    case 'Terminating':
      return (pod.spec.activeDeadlineSeconds ?? -1) >= 0;
    case 'NotTerminating':
      return pod.spec.activeDeadlineSeconds === undefined || pod.spec.activeDeadlineSeconds < 0;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass': {
      const name = pod.spec.priorityClassName ?? '';
      if (operator === 'Exists') return name !== '';
      if (operator === 'DoesNotExist') return name === '';
      const listed = values?.includes(name) ?? false;
      return operator === 'In' ? listed : !listed;
    }
    case 'CrossNamespacePodAffinity':
      return hasForeignAffinity(pod.spec.affinity);
    default:
      return false;
  }
}

function isBestEffort({ spec }: Pod): boolean {
  const some = (list: List | undefined): boolean =>
    Object.entries(list ?? {}).some(([name, text]) => (name === 'cpu' || name === 'memory') && parseQuantity(text).sign > 0);
  const all = [...spec.containers, ...(spec.initContainers ?? []), { resources: spec.resources }];
  return !all.some(({ resources }) => some(resources?.requests) || some(resources?.limits));
}

function hasForeignAffinity(affinity: unknown): boolean {
  if (typeof affinity !== 'object' || affinity === null) return false;
  if ('topologyKey' in affinity) {
    const { namespaces, namespaceSelector } = affinity as { namespaces?: unknown[]; namespaceSelector?: unknown };
    return (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined;
  }
  return Object.values(affinity).some(hasForeignAffinity);
}

/** What each kind of object costs its namespace. */
import type { AdmissionOperation } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { parseQuantity, Quantity } from '@kubernel/sdk/api';
import type { Amounts } from './amounts.ts';
import { ONE } from './amounts.ts';
import type { Pod, Scoped } from './pods.ts';
import { podConstraints, podInScope, podUsage } from './pods.ts';

export interface Evaluator {
  operations: readonly AdmissionOperation[];
  usage(object: KubeObject): Amounts;
  /** Does the quota, which is limited to some scopes, count this object? */
  inScope(object: KubeObject, quota: Scoped): boolean;
  /** Why the object may not be counted at all under a quota over these resources. */
  constraints?(object: KubeObject, hard: readonly string[]): string | undefined;
}

/** Kinds that quotas know by their plain name besides `count/…`. */
const PLAIN_NAMES = new Set([
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
  'services',
  'persistentvolumeclaims',
  'pods',
]);

const SPECIAL: Readonly<Record<string, Evaluator>> = {
  pods: {
    operations: ['CREATE'],
    usage: (object) => podUsage(object as Pod),
    inScope: (object, quota) => podInScope(object as Pod, quota),
    constraints: (object, hard) => podConstraints(object as Pod, hard),
  },
  services: { operations: ['CREATE', 'UPDATE'], usage: serviceUsage, inScope: unscoped },
  persistentvolumeclaims: { operations: ['CREATE', 'UPDATE'], usage: claimUsage, inScope: unscoped },
};

export function evaluatorOf(group: string, resource: string): Evaluator {
  const special = group === '' ? SPECIAL[resource] : undefined;
  const count = `count/${group ? `${resource}.${group}` : resource}`;
  return {
    operations: special?.operations ?? ['CREATE'],
    inScope: special?.inScope ?? unscoped,
    ...(special?.constraints ? { constraints: special.constraints } : {}),
    usage(object) {
      const usage = new Map(special?.usage(object) ?? []);
      if (usage.size === 0 && special === SPECIAL.pods) return usage;
      usage.set(count, ONE);
      if (group === '' && PLAIN_NAMES.has(resource)) usage.set(resource, ONE);
      return usage;
    },
  };
}

/** Only pods have scopes: a quota with scopes counts nothing else. */
function unscoped(_object: KubeObject, { scopes, scopeSelector }: Scoped): boolean {
  return !scopes?.length && !scopeSelector?.matchExpressions?.length;
}

interface Service extends KubeObject {
  spec?: { type?: string; ports?: { nodePort?: number }[]; allocateLoadBalancerNodePorts?: boolean };
}

function serviceUsage(object: KubeObject): Amounts {
  const { type, ports = [], allocateLoadBalancerNodePorts } = (object as Service).spec ?? {};
  const usage = new Map<string, Quantity>();
  if (type === 'NodePort') usage.set('services.nodeports', Quantity.of(ports.length));
  if (type === 'LoadBalancer') {
    usage.set('services.loadbalancers', ONE);
    const allocated = allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort).length : ports.length;
    usage.set('services.nodeports', Quantity.of(allocated));
  }
  return usage;
}

interface Claim extends KubeObject {
  spec?: { storageClassName?: string; resources?: { requests?: Record<string, string> } };
}

function claimUsage(object: KubeObject): Amounts {
  const { spec, metadata } = object as Claim;
  const usage = new Map<string, Quantity>([['persistentvolumeclaims', ONE]]);
  const storageClass = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName;
  const prefix = storageClass ? `${storageClass}.storageclass.storage.k8s.io/` : undefined;
  if (prefix) usage.set(`${prefix}persistentvolumeclaims`, ONE);
  const storage = spec?.resources?.requests?.storage;
  if (storage !== undefined) {
    usage.set('requests.storage', parseQuantity(storage));
    if (prefix) usage.set(`${prefix}requests.storage`, parseQuantity(storage));
  }
  return usage;
}

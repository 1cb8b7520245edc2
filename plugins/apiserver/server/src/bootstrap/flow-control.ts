import type { KubeObject } from '@kubernel/sdk/api';

/**
 * The priority and fairness objects clients expect to find (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/).
 * This server limits by its inflight bounds alone; the objects say what upstream would do.
 */

const AUTOUPDATE = { 'apf.kubernetes.io/autoupdate-spec': 'true' };

type Queuing = readonly [queues: number, handSize: number, queueLengthLimit: number];

/** Name, concurrency shares, lendable percent, queues; no queues: what is too much is refused. */
const LEVELS: readonly (readonly [string, number, number, Queuing?])[] = [
  ['catch-all', 5, 0],
  ['global-default', 20, 50, [128, 6, 50]],
  ['leader-election', 10, 0, [16, 4, 50]],
  ['node-high', 40, 25, [64, 6, 50]],
  ['system', 30, 33, [64, 6, 50]],
  ['workload-high', 40, 50, [128, 6, 50]],
  ['workload-low', 100, 90, [128, 6, 50]],
];

function level([name, shares, lendable, queues]: (typeof LEVELS)[number]): KubeObject {
  const limitResponse = queues
    ? { type: 'Queue', queuing: { queues: queues[0], handSize: queues[1], queueLengthLimit: queues[2] } }
    : { type: 'Reject' };
  return {
    metadata: { name, annotations: AUTOUPDATE },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: shares, limitResponse, lendablePercent: lendable } },
  };
}

export const priorityLevels: readonly KubeObject[] = [
  ...LEVELS.map(level),
  {
    metadata: { name: 'exempt', annotations: AUTOUPDATE },
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
];

const group = (name: string): object => ({ kind: 'Group', group: { name } });
const user = (name: string): object => ({ kind: 'User', user: { name } });
const accounts = (namespace: string): object => ({ kind: 'ServiceAccount', serviceAccount: { namespace, name: '*' } });
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];
const ANY = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] };
const ALL = { resourceRules: [ANY], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] };
const LEASES = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] };

type Flow = readonly [
  name: string,
  level: string,
  precedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | '',
  subjects: object[],
  rules?: object,
];

const FLOWS: readonly Flow[] = [
  ['catch-all', 'catch-all', 10_000, 'ByUser', EVERYBODY],
  ['exempt', 'exempt', 1, '', [group('system:masters')]],
  ['global-default', 'global-default', 9900, 'ByUser', EVERYBODY],
  ['kube-controller-manager', 'workload-high', 800, 'ByNamespace', [user('system:kube-controller-manager')]],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace', [user('system:kube-scheduler')]],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [accounts('kube-system')]],
  ['probes', 'exempt', 2, '', EVERYBODY, { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] }],
  ['service-accounts', 'workload-low', 9000, 'ByUser', [group('system:serviceaccounts')]],
  [
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    [user('system:kube-controller-manager'), user('system:kube-scheduler'), accounts('kube-system')],
    { resourceRules: [{ verbs: ['get', 'create', 'update'], ...LEASES }] },
  ],
  [
    'system-node-high',
    'node-high',
    400,
    'ByUser',
    [group('system:nodes')],
    {
      resourceRules: [
        { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ['*'] },
        { verbs: ['*'], ...LEASES },
      ],
    },
  ],
  ['system-nodes', 'system', 500, 'ByUser', [group('system:nodes')]],
];

export const flowSchemas: readonly KubeObject[] = FLOWS.map(
  ([name, priorityLevel, matchingPrecedence, distinguisher, subjects, rules = ALL]) => ({
    metadata: { name, annotations: AUTOUPDATE },
    spec: {
      priorityLevelConfiguration: { name: priorityLevel },
      matchingPrecedence,
      ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
      rules: [{ subjects, ...rules }],
    },
  }),
);

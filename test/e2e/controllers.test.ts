import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestCluster } from './cluster.ts';

/** The controllers against the real API server, scheduler and simulated nodes, seen through a stock kubectl. */

let cluster: TestCluster;
let namespace = '';
let count = 0;

beforeAll(async () => {
  cluster = await TestCluster.start('dev.yaml');
  await eventually(() => cluster.k('get', 'nodes').match(/ Ready /g)?.length === 3);
});
afterAll(async () => {
  await cluster?.stop();
});
beforeEach(() => {
  namespace = `t${++count}`;
  cluster.k('create', 'namespace', namespace);
});

const k = (...args: string[]): string => cluster.k('-n', namespace, ...args);
const lines = (...args: string[]): string[] =>
  k(...args)
    .split('\n')
    .filter(Boolean);
const names = (kind: string): string[] => lines('get', kind, '-o', 'name');
const path = (kind: string, jsonpath: string): string => k('get', ...kind.split(' '), '-o', `jsonpath=${jsonpath}`);

async function deployment(name: string, replicas: number): Promise<void> {
  k('create', 'deployment', name, '--image=app:1', `--replicas=${replicas}`);
  await eventually(() => path(`deploy ${name}`, '{.status.availableReplicas}') === String(replicas));
}

describe('the controllers of a whole cluster', () => {
  it('make a hundred replicas ready, and take them away again', async () => {
    await deployment('many', 100);
    expect(names('pods')).toHaveLength(100);
    k('scale', 'deploy/many', '--replicas=3');
    await eventually(() => names('pods').length === 3);
    expect(path('deploy many', '{.status.conditions[?(@.type=="Progressing")].reason}')).toBe('NewReplicaSetAvailable');
  });

  it('hold a paused rollout back, recreate where that is asked for, and keep revisions', async () => {
    await deployment('web', 2);
    k('rollout', 'pause', 'deploy/web');
    k('set', 'image', 'deploy/web', 'app=app:2');
    await eventually(() => path('deploy web', '{.status.conditions[?(@.type=="Progressing")].reason}') === 'DeploymentPaused');
    expect(names('replicasets')).toHaveLength(1);
    k('rollout', 'resume', 'deploy/web');
    k('rollout', 'status', 'deploy/web', '--timeout=20s');
    k(
      'patch',
      'deploy/web',
      '-p',
      '{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"},"template":{"spec":{"containers":[{"name":"app","image":"app:3"}]}}}}',
    );
    k('rollout', 'status', 'deploy/web', '--timeout=20s');
    k('rollout', 'undo', 'deploy/web', '--to-revision=1');
    k('rollout', 'status', 'deploy/web', '--timeout=20s');
    expect(path('deploy web', '{.spec.template.spec.containers[0].image}')).toBe('app:1');
    expect(lines('rollout', 'history', 'deploy/web').map((line) => line.split(' ')[0])).toEqual([
      'deployment.apps/web',
      'REVISION',
      '2',
      '3',
      '4',
    ]);
  });

  it('delete dependents in the background, before their owner, or not at all', async () => {
    await deployment('one', 2);
    k('delete', 'deploy/one', '--cascade=foreground', '--timeout=20s');
    expect(names('replicasets,pods')).toEqual([]);
    await deployment('two', 2);
    k('delete', 'deploy/two', '--cascade=orphan', '--timeout=20s');
    expect(names('replicasets,pods')).toHaveLength(3);
    expect(path('replicasets', '{.items[*].metadata.ownerReferences}')).toBe('');
    k('delete', 'replicasets', '--all', '--timeout=20s');
    await eventually(() => names('pods').length === 0);
  });

  it('empty a namespace, say what holds it, and let it go', async () => {
    await deployment('web', 2);
    k('create', 'configmap', 'held', '--from-literal=a=b');
    k('patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}');
    cluster.k('delete', 'namespace', namespace, '--wait=false');
    const remaining = (): string =>
      cluster.k('get', 'namespace', namespace, '-o', 'jsonpath={.status.conditions[?(@.type=="NamespaceFinalizersRemaining")].message}');
    await eventually(
      () => remaining() === 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    );
    expect(names('pods,deployments,replicasets')).toEqual([]);
    k('patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
    await eventually(() => !cluster.k('get', 'namespaces', '-o', 'name').split('\n').includes(`namespace/${namespace}`));
  });

  it('tell where a service is, as pods come, go and get ready', async () => {
    await deployment('web', 3);
    k('expose', 'deploy/web', '--port=80', '--target-port=8080');
    const addresses = (): number => path('endpointslices', '{.items[*].endpoints[*].addresses[0]}').split(' ').filter(Boolean).length;
    await eventually(() => addresses() === 3);
    k('scale', 'deploy/web', '--replicas=5');
    await eventually(() => addresses() === 5);
    expect(path('endpoints web', '{.subsets[0].addresses[*].ip}').split(' ')).toHaveLength(5);
    expect(path('endpointslices', '{.items[0].ports[0].port}')).toBe('8080');
    k('delete', 'service', 'web');
    await eventually(() => names('endpointslices').length === 0);
  });

  it('give every namespace its account and CA, and put them back', async () => {
    await eventually(() => names('serviceaccounts,configmaps').join() === 'serviceaccount/default,configmap/kube-root-ca.crt');
    expect(path('configmap kube-root-ca.crt', '{.data.ca\\.crt}')).toContain('BEGIN CERTIFICATE');
    k('delete', 'serviceaccount/default', 'configmap/kube-root-ca.crt');
    await eventually(() => names('serviceaccounts,configmaps').join() === 'serviceaccount/default,configmap/kube-root-ca.crt');
  });

  it('add the rules of roles with a label to the role that aggregates them', async () => {
    const rules = (): string => cluster.k('get', 'clusterrole', 'view', '-o', 'jsonpath={.rules[*].resources}');
    expect(rules()).not.toContain('widgets');
    cluster.k('create', 'clusterrole', 'widget-viewer', '--verb=get', '--resource=pods');
    cluster.k(
      'patch',
      'clusterrole',
      'widget-viewer',
      '--type=merge',
      '-p',
      '{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}},"rules":[{"apiGroups":["example.com"],"resources":["widgets"],"verbs":["get"]}]}',
    );
    await eventually(() => rules().includes('widgets'));
    cluster.k('delete', 'clusterrole', 'widget-viewer');
    await eventually(() => !rules().includes('widgets'));
  });

  it('taint cordoned nodes, and move pods away from one that is tainted', async () => {
    cluster.k('cordon', 'sim-0');
    await eventually(
      () => cluster.k('get', 'node', 'sim-0', '-o', 'jsonpath={.spec.taints[*].key}') === 'node.kubernetes.io/unschedulable',
    );
    cluster.k('uncordon', 'sim-0');
    await eventually(() => cluster.k('get', 'node', 'sim-0', '-o', 'jsonpath={.spec.taints}') === '');
    await deployment('web', 6);
    cluster.k('taint', 'node', 'sim-1', 'maintenance=now:NoExecute');
    await eventually(
      () => !path('pods', '{.items[*].spec.nodeName}').includes('sim-1') && path('deploy web', '{.status.availableReplicas}') === '6',
    );
    cluster.k('taint', 'node', 'sim-1', 'maintenance-');
  });

  it('leave no warnings of their own in the log', () => {
    const { stdout } = cluster.kubernel('status');
    expect(stdout).not.toMatch(/controller\/\S+\s+(Failed|Degraded)/);
  });
});

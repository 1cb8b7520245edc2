import type { Deployment, ReplicaSet } from '@kubernel/sdk/api';
import { DEPLOYMENTS, REPLICA_SETS } from '@kubernel/sdk/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeCluster, setImage } from '../../test/cluster.ts';

let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
});
afterEach(() => cluster.stop());

test('a new deployment makes one replica set and its pods, and says when it is done', async () => {
  cluster.apply('web');
  await cluster.quiet();
  expect(cluster.picture()).toBe('nginx:1 3/0');
  expect(cluster.condition('web', 'Available')).toBe('False MinimumReplicasUnavailable: Deployment does not have minimum availability.');
  const [rs] = cluster.replicaSets() as [ReplicaSet];
  const hash = rs.metadata.labels?.['pod-template-hash'];
  expect(rs.metadata.name).toBe(`web-${hash}`);
  expect(rs.spec.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash });
  expect(cluster.pods()[0]?.metadata.labels).toEqual({ app: 'web', 'pod-template-hash': hash });
  expect(rs.metadata.annotations).toEqual({
    'deployment.kubernetes.io/revision': '1',
    'deployment.kubernetes.io/desired-replicas': '3',
    'deployment.kubernetes.io/max-replicas': '4',
  });
  await cluster.settle();
  expect(cluster.condition('web', 'Available')).toBe('True MinimumReplicasAvailable: Deployment has minimum availability.');
  expect(cluster.condition('web', 'Progressing')).toBe(
    `True NewReplicaSetAvailable: ReplicaSet "web-${hash}" has successfully progressed.`,
  );
  expect(cluster.deployment('web').status).toMatchObject({
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    unavailableReplicas: 0,
    terminatingReplicas: 0,
  });
  expect(cluster.deployment('web').metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
  expect(await cluster.transcript()).toEqual(['Scaled up replica set nginx:1 from 0 to 3']);
});

test('a rolling update of 4 replaces one pod after the other within its limits', async () => {
  cluster.apply('web', (spec) => {
    spec.replicas = 4;
  });
  await cluster.quiet();
  await cluster.settle();
  await cluster.transcript();
  cluster.watchLimits();
  cluster.apply('web', setImage('nginx:2'));
  await cluster.quiet();
  const steps = [cluster.picture()];
  while ((await cluster.runPods(1)) > 0) steps.push(cluster.picture());
  expect(steps).toEqual(['nginx:1 3/3, nginx:2 2/0', 'nginx:1 2/2, nginx:2 3/1', 'nginx:1 1/1, nginx:2 4/2', 'nginx:2 4/3', 'nginx:2 4/4']);
  expect(await cluster.transcript()).toEqual([
    'Scaled up replica set nginx:2 from 0 to 1',
    'Scaled down replica set nginx:1 from 4 to 3',
    'Scaled up replica set nginx:2 from 1 to 2',
    'Scaled down replica set nginx:1 from 3 to 2',
    'Scaled up replica set nginx:2 from 2 to 3',
    'Scaled down replica set nginx:1 from 2 to 1',
    'Scaled up replica set nginx:2 from 3 to 4',
    'Scaled down replica set nginx:1 from 1 to 0',
  ]);
  expect(cluster.mostPods).toBe(5);
  expect(cluster.fewestReady).toBe(3);
  expect(cluster.condition('web', 'Progressing')).toMatch(/^True NewReplicaSetAvailable/);
});

test('a surge of nothing and unavailable of nothing means one unavailable', async () => {
  cluster.apply('web', (spec) => {
    spec.replicas = 2;
    spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } };
  });
  await cluster.quiet();
  await cluster.settle();
  cluster.watchLimits();
  cluster.apply('web', setImage('nginx:2'));
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:2 2/2');
  expect(cluster.mostPods).toBe(2);
  expect(cluster.fewestReady).toBe(1);
});

test('an undo brings the old replica set back under a new revision', async () => {
  cluster.apply('web');
  await cluster.quiet();
  await cluster.settle();
  cluster.apply('web', setImage('nginx:2'));
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.deployment('web').metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
  cluster.undo('web', 1);
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:1 3/3');
  expect(cluster.replicaSets()).toHaveLength(2);
  const first = cluster.replicaSets().find(({ spec }) => spec.replicas === 3) as ReplicaSet;
  expect(first.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '3',
    'deployment.kubernetes.io/revision-history': '1',
  });
  expect(cluster.deployment('web').metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
});

test('an update to something broken stops at its limits and can be taken back', async () => {
  cluster.brokenImages.add('nginx:broken');
  cluster.apply('web', (spec) => {
    spec.replicas = 4;
  });
  await cluster.quiet();
  await cluster.settle();
  cluster.apply('web', setImage('nginx:broken'));
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:1 3/3, nginx:broken 2/0');
  expect(cluster.condition('web', 'Progressing')).toMatch(/^True ReplicaSetUpdated: ReplicaSet "web-\w+" is progressing\.$/);
  cluster.undo('web', 1);
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:1 4/4');
});

test('scaling in the middle of a rollout is spread over old and new in proportion', async () => {
  cluster.brokenImages.add('nginx:broken');
  cluster.apply('web', (spec) => {
    spec.replicas = 10;
    spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
  });
  await cluster.quiet();
  await cluster.settle();
  cluster.apply('web', setImage('nginx:broken'));
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:1 8/8, nginx:broken 5/0');
  cluster.apply('web', (spec) => {
    spec.replicas = 15;
  });
  await cluster.quiet();
  await cluster.settle();
  // The example of the documentation: 5 more, 3 to the larger and 2 to the smaller.
  expect(cluster.picture()).toBe('nginx:1 11/11, nginx:broken 7/0');
});

test('scaling up and down is one step, and the surplus goes', async () => {
  cluster.apply('web');
  await cluster.quiet();
  await cluster.settle();
  await cluster.transcript();
  for (const replicas of [6, 1, 0]) {
    cluster.apply('web', (spec) => {
      spec.replicas = replicas;
    });
    await cluster.quiet();
    await cluster.settle();
    expect(cluster.pods()).toHaveLength(replicas);
  }
  expect(await cluster.transcript()).toEqual([
    'Scaled up replica set nginx:1 from 3 to 6',
    'Scaled down replica set nginx:1 from 6 to 1',
    'Scaled down replica set nginx:1 from 1 to 0',
  ]);
  expect(cluster.deployment('web').status).toMatchObject({ replicas: 0, observedGeneration: 4 });
});

test('Recreate ends all old pods before it starts a new one', async () => {
  cluster.apply('web', (spec) => {
    spec.strategy = { type: 'Recreate' };
  });
  await cluster.quiet();
  await cluster.settle();
  // Pods that take their time to end: a kubelet has them.
  for (const pod of cluster.pods()) cluster.api.put({ group: '', resource: 'pods' }, { ...pod, spec: { ...pod.spec, nodeName: 'n1' } });
  cluster.apply('web', setImage('nginx:2'));
  await cluster.quiet();
  expect(cluster.picture()).toBe('');
  expect(cluster.pods().every(({ metadata }) => metadata.deletionTimestamp)).toBe(true);
  const [one, two, three] = cluster.pods().map(({ metadata }) => `x/${metadata.name}`) as [string, string, string];
  cluster.api.remove({ group: '', resource: 'pods' }, one);
  cluster.api.remove({ group: '', resource: 'pods' }, two);
  await cluster.quiet();
  expect(cluster.replicaSets()).toHaveLength(1);
  cluster.api.remove({ group: '', resource: 'pods' }, three);
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:2 3/3');
});

test('a paused deployment scales but does not roll out until it is resumed', async () => {
  cluster.apply('web');
  await cluster.quiet();
  await cluster.settle();
  cluster.apply('web', (spec) => {
    spec.paused = true;
    setImage('nginx:2')(spec);
  });
  await cluster.quiet();
  expect(cluster.picture()).toBe('nginx:1 3/3');
  expect(cluster.condition('web', 'Progressing')).toBe('Unknown DeploymentPaused: Deployment is paused');
  cluster.apply('web', (spec) => {
    spec.replicas = 5;
  });
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:1 5/5');
  cluster.apply('web', (spec) => {
    spec.paused = false;
  });
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.picture()).toBe('nginx:2 5/5');
  expect(cluster.condition('web', 'Progressing')).toMatch(/^True NewReplicaSetAvailable/);
});

test('a rollout without progress within its deadline says so, and goes on when it can', async () => {
  cluster.brokenImages.add('nginx:broken');
  cluster.apply('web', (spec) => {
    spec.progressDeadlineSeconds = 1;
    setImage('nginx:broken')(spec);
  });
  await cluster.quiet();
  const until = Date.now() + 6000;
  while (!cluster.condition('web', 'Progressing')?.includes('ProgressDeadlineExceeded') && Date.now() < until) await cluster.quiet(100);
  expect(cluster.condition('web', 'Progressing')).toMatch(
    /^False ProgressDeadlineExceeded: ReplicaSet "web-\w+" has timed out progressing\.$/,
  );
  cluster.brokenImages.clear();
  await cluster.settle();
  expect(cluster.condition('web', 'Progressing')).toMatch(/^True NewReplicaSetAvailable/);
}, 10_000);

test('of old revisions only as many are kept as the limit says', async () => {
  cluster.apply('web', (spec) => {
    spec.revisionHistoryLimit = 1;
  });
  await cluster.quiet();
  await cluster.settle();
  for (const version of [2, 3, 4]) {
    cluster.apply('web', setImage(`nginx:${version}`));
    await cluster.quiet();
    await cluster.settle();
  }
  const images = cluster.replicaSets().map(({ spec }) => spec.template.spec.containers[0]?.image);
  expect(images.sort()).toEqual(['nginx:3', 'nginx:4']);
});

test('two templates with one hash get two names', async () => {
  const deployment = cluster.apply('web');
  await cluster.quiet();
  const [rs] = cluster.replicaSets() as [ReplicaSet];
  await cluster.stop();
  // The name is taken by a replica set of another template, as if the hashes met.
  const foreign = structuredClone(rs);
  foreign.spec.template.spec.containers[0] = { name: 'c', image: 'other' };
  cluster.api.put(REPLICA_SETS, foreign);
  cluster.api.put<Deployment>(DEPLOYMENTS, { ...deployment, metadata: { ...deployment.metadata, resourceVersion: '' } });
  await cluster.start();
  await cluster.settle();
  expect(cluster.deployment('web').status?.collisionCount).toBe(1);
  expect(cluster.replicaSets()).toHaveLength(2);
  expect(cluster.picture()).toBe('nginx:1 3/3');
});

test('annotations of the deployment reach its replica set, those of kubectl apply do not', async () => {
  const deployment = cluster.apply('web');
  deployment.metadata.annotations = { 'kubernetes.io/change-cause': 'first', 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
  cluster.api.put(DEPLOYMENTS, structuredClone(deployment));
  await cluster.quiet();
  expect(cluster.replicaSets()[0]?.metadata.annotations).toMatchObject({ 'kubernetes.io/change-cause': 'first' });
  expect(cluster.replicaSets()[0]?.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration');
});

test('a hundred replicas on nodes that start pods at once are ready within a second', async () => {
  cluster.automatic = true;
  const start = performance.now();
  cluster.apply('web', (spec) => {
    spec.replicas = 100;
  });
  while (cluster.deployment('web').status?.availableReplicas !== 100) await new Promise((resolve) => setTimeout(resolve, 2));
  const tookMs = performance.now() - start;
  expect(cluster.pods()).toHaveLength(100);
  console.log(`100 replicas ready in ${Math.round(tookMs)} ms, ${cluster.api.requests.length} requests`);
}, 20_000);

test('a rollout ends without conflicts or warnings in the log', async () => {
  cluster.apply('web');
  await cluster.quiet();
  await cluster.settle();
  cluster.apply('web', setImage('nginx:2'));
  await cluster.quiet();
  await cluster.settle();
  expect(cluster.contexts.flatMap(({ logged }) => logged)).toEqual([]);
  expect(cluster.contexts.flatMap(({ reports }) => reports)).toEqual([]);
});

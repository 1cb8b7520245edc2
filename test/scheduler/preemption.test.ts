import type { KubeObject, Pod } from '@kubernel/sdk/api';
import { POD_DISRUPTION_BUDGETS, PODS } from '@kubernel/sdk/client';
import { aNode, aPod, type NodeShape } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestCluster } from './cluster.ts';

const ONE_CORE: NodeShape = { allocatable: { cpu: '1' } };
let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

const core = (name: string, cpu: string, priority: number, spec: Partial<Pod['spec']> & { labels?: Record<string, string> } = {}): Pod =>
  aPod(name, { requests: { cpu }, priority, ...spec });

/** Plays the kubelet: pods that are to go are gone. */
function finishDeletions(): string[] {
  const going = cluster.pods().filter(({ metadata }) => metadata.deletionTimestamp);
  for (const { metadata } of going) cluster.api.remove(PODS, `${metadata.namespace}/${metadata.name}`);
  return going.map(({ metadata }) => metadata.name as string).sort();
}

async function victims(): Promise<string[]> {
  await cluster.until(() => cluster.pods().some(({ metadata }) => metadata.deletionTimestamp), 'a preemption');
  // Whatever else would be deleted has its chance.
  await new Promise((resolve) => setTimeout(resolve, 30));
  return finishDeletions();
}

describe('a pod of higher priority', () => {
  it('has the fewest and least important pods removed, waits for them to go, and takes the node', async () => {
    cluster.addNode(aNode('n1', ONE_CORE));
    cluster.addPod(core('low', '300m', 1, { nodeName: 'n1' }));
    cluster.addPod(core('middle', '300m', 2, { nodeName: 'n1' }));
    cluster.addPod(core('equal', '300m', 10, { nodeName: 'n1' }));
    await cluster.startScheduler();
    cluster.addPod(core('high', '400m', 10));
    await cluster.until(() => cluster.pod('high').status?.nominatedNodeName === 'n1', 'a nomination');
    expect(cluster.condition('high')?.message).toBe('0/1 nodes are available: 1 Insufficient cpu.');
    await cluster.until(() => Boolean(cluster.pod('low').metadata.deletionTimestamp), 'a deletion');
    expect(cluster.pod('low').status?.conditions).toMatchObject([
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: 'default-scheduler: preempting to accommodate a higher priority pod',
      },
    ]);
    await cluster.until(() => cluster.events('Preempted').length > 0, 'an Event');
    expect(cluster.events('Preempted')).toEqual([`Preempted by pod ${cluster.pod('high').metadata.uid} on node n1`]);
    expect(cluster.pod('high').spec.nodeName).toBeUndefined();
    expect(await victims()).toEqual(['low']);
    await cluster.bound('high');
  });

  it('chooses the node where it hurts least', async () => {
    cluster.addNode(aNode('costly', ONE_CORE));
    cluster.addNode(aNode('cheap', ONE_CORE));
    cluster.addNode(aNode('two', ONE_CORE));
    cluster.addPod(core('a', '1', 5, { nodeName: 'costly' }));
    cluster.addPod(core('b', '1', 2, { nodeName: 'cheap' }));
    cluster.addPod(core('c1', '500m', 2, { nodeName: 'two' }));
    cluster.addPod(core('c2', '500m', 2, { nodeName: 'two' }));
    await cluster.startScheduler();
    cluster.addPod(core('high', '1', 10));
    expect(await victims()).toEqual(['b']);
    await cluster.bound('high');
  });

  it('spares pods whose disruption budget is used up, where another will do', async () => {
    cluster.addNode(aNode('n1', ONE_CORE));
    cluster.addNode(aNode('n2', ONE_CORE));
    cluster.addPod(core('guarded', '1', 1, { nodeName: 'n1', labels: { app: 'db' } }));
    cluster.addPod(core('plain', '1', 5, { nodeName: 'n2' }));
    cluster.api.put(POD_DISRUPTION_BUDGETS, {
      metadata: { name: 'db', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'db' } } },
      status: { disruptionsAllowed: 0 },
    } as KubeObject);
    await cluster.startScheduler();
    cluster.addPod(core('high', '1', 10));
    expect(await victims()).toEqual(['plain']);
  });

  it('frees host ports and anti-affinity as well as cores', async () => {
    cluster.addNode(aNode('n1'));
    const shy = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
          ],
        },
      },
    };
    cluster.addPod(core('shy', '1m', 1, { nodeName: 'n1', ...shy }));
    cluster.addPod(core('bystander', '1m', 1, { nodeName: 'n1' }));
    await cluster.startScheduler();
    cluster.addPod(core('web', '1m', 10, { labels: { app: 'web' } }));
    expect(await victims()).toEqual(['shy']);
    await cluster.bound('web');
  });

  it('keeps its place: nobody of lower priority slips in while the victims go', async () => {
    cluster.addNode(aNode('n1', ONE_CORE));
    cluster.addPod(core('low1', '500m', 1, { nodeName: 'n1' }));
    cluster.addPod(core('low2', '500m', 1, { nodeName: 'n1' }));
    const scheduler = await cluster.startScheduler();
    cluster.addPod(core('high', '1', 10));
    await cluster.until(() => ['low1', 'low2'].every((name) => cluster.pod(name).metadata.deletionTimestamp), 'deletions');
    // Half of the node is free now, and would do for this one.
    cluster.api.remove(PODS, 'default/low1');
    cluster.addPod(core('sneaky', '500m', 5));
    await cluster.until(() => cluster.condition('sneaky') !== undefined, 'sneaky tried');
    expect(cluster.condition('sneaky')?.message).toMatch(/^0\/1 nodes are available: 1 Insufficient cpu\./);
    expect(cluster.pod('sneaky').spec.nodeName).toBeUndefined();
    finishDeletions();
    await cluster.bound('high');
    expect(cluster.pod('sneaky').spec.nodeName).toBeUndefined();
    expect(scheduler.cluster.placedCount).toBe(1);
  });

  it('leaves its place to others when it is deleted', async () => {
    cluster.addNode(aNode('n1', ONE_CORE));
    cluster.addPod(core('low', '1', 1, { nodeName: 'n1' }));
    await cluster.startScheduler();
    cluster.addPod(core('high', '1', 10));
    await cluster.until(() => cluster.pod('high').status?.nominatedNodeName === 'n1', 'a nomination');
    await cluster.until(() => Boolean(cluster.pod('low').metadata.deletionTimestamp), 'a deletion');
    cluster.addPod(core('patient', '1', 5));
    await cluster.until(() => cluster.condition('patient') !== undefined, 'patient tried');
    cluster.api.remove(PODS, 'default/high');
    finishDeletions();
    await cluster.bound('patient');
  });

  it('preempts once, however often it is tried while its victims go', async () => {
    cluster.addNode(aNode('n1', ONE_CORE));
    cluster.addNode(aNode('n2', ONE_CORE));
    cluster.addPod(core('v1', '1', 1, { nodeName: 'n1' }));
    cluster.addPod(core('v2', '1', 1, { nodeName: 'n2' }));
    const scheduler = await cluster.startScheduler();
    cluster.addPod(core('high', '1', 10));
    await cluster.until(() => cluster.pods().some(({ metadata }) => metadata.deletionTimestamp), 'a preemption');
    for (let i = 0; i < 5; i++) {
      scheduler.queue.wakeAll();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(cluster.condition('high')?.message).toContain('preemption: not eligible due to a terminating pod on the nominated node.');
    expect(finishDeletions()).toHaveLength(1);
    await cluster.bound('high');
  });
});

describe('preemption is not tried', () => {
  it('for a pod that forgoes it', async () => {
    cluster.addNode(aNode('n1', ONE_CORE));
    cluster.addPod(core('low', '1', 1, { nodeName: 'n1' }));
    await cluster.startScheduler();
    cluster.addPod(core('polite', '1', 10, { preemptionPolicy: 'Never' }));
    await cluster.until(() => cluster.condition('polite') !== undefined, 'a condition');
    expect(cluster.condition('polite')?.message).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
    );
  });

  it('where it cannot help, and it says so node by node', async () => {
    cluster.addNode(aNode('small', { allocatable: { cpu: '500m' } }));
    cluster.addNode(aNode('taken', ONE_CORE));
    cluster.addPod(core('there', '1', 10, { nodeName: 'taken' }));
    await cluster.startScheduler();
    cluster.addPod(core('late', '1', 10));
    await cluster.until(() => cluster.condition('late') !== undefined, 'a condition');
    expect(cluster.condition('late')?.message).toBe(
      '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
    );
  });
});

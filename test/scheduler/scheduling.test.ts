import { type SchedulerPolicy, StatusError } from '@kubernel/sdk';
import { PODS } from '@kubernel/sdk/client';
import { aNode, aPod } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { POLICIES, TestCluster } from './cluster.ts';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

describe('a pod that fits', () => {
  it('is bound, and an Event says where', async () => {
    cluster.addNode(aNode('n1'));
    await cluster.startScheduler();
    cluster.addPod(aPod('web'));
    await cluster.bound('web');
    expect(cluster.pod('web').spec.nodeName).toBe('n1');
    await cluster.until(() => cluster.events('Scheduled').length > 0, 'an Event');
    expect(cluster.events('Scheduled')).toEqual(['Successfully assigned default/web to n1']);
  });

  it('is left to the scheduler it names', async () => {
    cluster.addNode(aNode('n1'));
    await cluster.startScheduler();
    cluster.addPod(aPod('theirs', { schedulerName: 'other' }));
    cluster.addPod(aPod('ours'));
    await cluster.bound('ours');
    expect(cluster.pod('theirs').spec.nodeName).toBeUndefined();
  });

  it('is decided by the profile it names', async () => {
    cluster.addNode(aNode('empty'));
    cluster.addNode(aNode('half'));
    cluster.addPod(aPod('there', { nodeName: 'half', requests: { cpu: '2', memory: '4Gi' } }));
    await cluster.startScheduler({
      profiles: [
        { schedulerName: 'default-scheduler' },
        {
          schedulerName: 'packing',
          args: { 'resources-fit': { scoringStrategy: { type: 'MostAllocated' } } },
          weights: { 'balanced-allocation': 0 },
        },
      ],
    });
    const requests = { cpu: '500m', memory: '1Gi' };
    cluster.addPod(aPod('packed', { schedulerName: 'packing', requests }));
    await cluster.bound('packed');
    cluster.addPod(aPod('spread', { requests }));
    await cluster.bound('spread');
    expect([cluster.pod('packed').spec.nodeName, cluster.pod('spread').spec.nodeName]).toEqual(['half', 'empty']);
  });

  it('goes before pods of lower priority', async () => {
    cluster.addNode(aNode('n1', { allocatable: { pods: '1' } }));
    cluster.addPod(aPod('low', { priority: 0 }));
    cluster.addPod(aPod('high', { priority: 10 }));
    await cluster.startScheduler();
    await cluster.bound('high');
    await cluster.until(() => cluster.condition('low') !== undefined, 'low told');
    expect(cluster.pod('low').spec.nodeName).toBeUndefined();
  });
});

describe('a pod that fits nowhere', () => {
  it('is told why, by condition and Event, worded as upstream words it', async () => {
    cluster.addNode(aNode('small1', { allocatable: { cpu: '1' } }));
    cluster.addNode(aNode('small2', { allocatable: { cpu: '1' } }));
    for (const name of ['t1', 't2', 't3']) cluster.addNode(aNode(name, { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] }));
    await cluster.startScheduler();
    cluster.addPod(aPod('big', { requests: { cpu: '2' } }));
    await cluster.until(() => cluster.condition('big') !== undefined, 'a condition');
    const message =
      '0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.';
    expect(cluster.condition('big')).toMatchObject({ status: 'False', reason: 'Unschedulable', message });
    await cluster.until(() => cluster.events('FailedScheduling').length > 0, 'an Event');
    expect(cluster.events('FailedScheduling')).toEqual([message]);
  });

  it('is told when there are no nodes', async () => {
    await cluster.startScheduler();
    cluster.addPod(aPod('early'));
    await cluster.until(() => cluster.condition('early') !== undefined, 'a condition');
    expect(cluster.condition('early')?.message).toBe('no nodes available to schedule pods');
    cluster.addNode(aNode('n1'));
    await cluster.bound('early');
  });

  it('is told when the one node it names is not there', async () => {
    cluster.addNode(aNode('n1'));
    await cluster.startScheduler();
    const matchFields = [{ key: 'metadata.name', operator: 'In', values: ['gone'] }];
    cluster.addPod(
      aPod('ds', {
        affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } } },
      }),
    );
    await cluster.until(() => cluster.condition('ds') !== undefined, 'a condition');
    expect(cluster.condition('ds')?.message).toBe(
      "0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    );
  });

  it.each<[string, (c: TestCluster) => void]>([
    ['a node comes', (c) => c.addNode(aNode('n2'))],
    ['a node is uncordoned', (c) => c.addNode(aNode('cordoned'))],
    ['a pod goes', (c) => c.api.remove(PODS, 'default/there')],
    ['a pod finishes', (c) => c.api.put(PODS, { ...c.pod('there'), status: { phase: 'Succeeded' } })],
    [
      'the pod itself changes',
      (c) =>
        c.addPod({
          ...c.pod('waiting'),
          metadata: { ...c.pod('waiting').metadata, labels: { a: 'b' } },
          spec: { ...aPod('x').spec, tolerations: [{ operator: 'Exists' }] },
        }),
    ],
  ])('is tried again when %s', async (_, happen) => {
    cluster.addNode(aNode('full', { allocatable: { pods: '1' } }));
    cluster.addNode(aNode('cordoned', { unschedulable: true }));
    cluster.addPod(aPod('there', { nodeName: 'full' }));
    await cluster.startScheduler();
    cluster.addPod(aPod('waiting'));
    await cluster.until(() => cluster.condition('waiting') !== undefined, 'a condition');
    happen(cluster);
    await cluster.bound('waiting');
  });
});

describe('scheduling gates', () => {
  it('hold a pod back until the last is gone', async () => {
    cluster.addNode(aNode('n1'));
    const scheduler = await cluster.startScheduler();
    cluster.addPod(aPod('gated', { schedulingGates: [{ name: 'wait' }] }));
    cluster.addPod(aPod('free'));
    await cluster.bound('free');
    expect(scheduler.queue.sizes.gated).toBe(1);
    expect(cluster.pod('gated').spec.nodeName).toBeUndefined();
    const { schedulingGates: _, ...spec } = cluster.pod('gated').spec;
    cluster.addPod({ ...cluster.pod('gated'), spec });
    await cluster.bound('gated');
  });
});

describe('bindings', () => {
  it('that fail are taken back and tried again', async () => {
    cluster.addNode(aNode('n1', { allocatable: { pods: '1' } }));
    let refusals = 2;
    cluster.api.onRequest = ({ path }) => {
      if (path.endsWith('/binding') && refusals-- > 0) throw new StatusError(500, 'InternalError', 'the disk is full');
    };
    const scheduler = await cluster.startScheduler();
    cluster.addPod(aPod('web'));
    await cluster.until(() => cluster.condition('web') !== undefined, 'a condition');
    expect(cluster.condition('web')).toMatchObject({ reason: 'SchedulerError' });
    await cluster.bound('web');
    await cluster.until(() => scheduler.bindsInFlight === 0, 'settled');
    expect(scheduler.cluster.nodes.requested[3]?.[0]).toBe(1);
  });

  it('are under way for many pods at once, and counted from the start', async () => {
    cluster.addNode(aNode('n1', { allocatable: { pods: '3' } }));
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    cluster.api.onRequest = ({ path }) => (path.endsWith('/binding') ? gate : undefined);
    const scheduler = await cluster.startScheduler();
    for (let i = 0; i < 4; i++) cluster.addPod(aPod(`p${i}`));
    await cluster.until(() => scheduler.bindsInFlight === 3 && scheduler.queue.sizes.waiting === 1, 'three under way, one waits');
    open();
    await cluster.until(() => cluster.pods().filter(({ spec }) => spec.nodeName).length === 3, 'three bound');
  });

  it('of pods that were deleted meanwhile leave nothing behind', async () => {
    cluster.addNode(aNode('n1'));
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    cluster.api.onRequest = ({ path }) => (path.endsWith('/binding') ? gate : undefined);
    const scheduler = await cluster.startScheduler();
    cluster.addPod(aPod('gone'));
    await cluster.until(() => scheduler.bindsInFlight === 1, 'under way');
    cluster.api.remove(PODS, 'default/gone');
    open();
    await cluster.until(() => scheduler.bindsInFlight === 0 && scheduler.cluster.placedCount === 0, 'forgotten');
    expect(scheduler.cluster.nodes.requested[3]?.[0]).toBe(0);
    expect(scheduler.queue.sizes).toEqual({ active: 0, backoff: 0, waiting: 0, gated: 0 });
  });
});

describe('pods deleted while they wait', () => {
  it('leave the queue', async () => {
    const scheduler = await cluster.startScheduler();
    cluster.addPod(aPod('web'));
    await cluster.until(() => scheduler.queue.sizes.waiting === 1, 'waiting');
    cluster.api.remove(PODS, 'default/web');
    await cluster.until(() => scheduler.queue.sizes.waiting === 0, 'gone');
  });
});

describe('a policy', () => {
  it('that is swapped takes effect with the next pod, and pods it had rejected are tried again', async () => {
    const refusing: SchedulerPolicy = {
      name: 'Refusing',
      create: () => ({ filter: () => 1, reasons: () => ['node(s) were refused'], events: [] }),
    };
    cluster = new TestCluster({ refusing, ...POLICIES });
    cluster.addNode(aNode('n1'));
    await cluster.startScheduler();
    cluster.addPod(aPod('web'));
    await cluster.until(() => cluster.condition('web') !== undefined, 'a condition');
    expect(cluster.condition('web')?.message).toBe(
      '0/1 nodes are available: 1 node(s) were refused. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    );
    cluster.policies.swap('refusing', { name: 'Refusing', create: () => ({}) });
    await cluster.bound('web');
  });

  it('that is swapped under load loses no pod and binds none twice', async () => {
    for (let i = 0; i < 20; i++) cluster.addNode(aNode(`n${i}`));
    const bindings: string[] = [];
    cluster.api.onRequest = ({ path }) => {
      if (path.endsWith('/binding')) bindings.push(path);
    };
    const scheduler = await cluster.startScheduler({ sliceMs: 0 });
    for (let i = 0; i < 500; i++) {
      cluster.addPod(aPod(`p${i}`, { labels: { app: 'web' } }));
      // A new copy of the policy, which the scheduler meets with its next pod.
      if (i % 50 === 0) cluster.policies.swap('topology-spread', { ...(POLICIES['topology-spread'] as SchedulerPolicy) }, { tell: false });
      if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await cluster.until(() => cluster.pods().every(({ spec }) => spec.nodeName), 'all bound');
    expect(new Set(bindings).size).toBe(500);
    expect(bindings).toHaveLength(500);
    expect(scheduler.cluster.nodes.requested[3]?.slice(0, 20).reduce((sum, pods) => sum + pods, 0)).toBe(500);
  });

  it('whose config changes is made anew with it', async () => {
    cluster.addNode(aNode('n1', { labels: { disk: 'hdd' } }));
    await cluster.startScheduler();
    cluster.addPod(aPod('before'));
    await cluster.bound('before');
    const matchExpressions = [{ key: 'disk', operator: 'In', values: ['ssd'] }];
    cluster.policies.configure('node-affinity', {
      addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
    });
    cluster.addPod(aPod('after'));
    await cluster.until(() => cluster.condition('after') !== undefined, 'a condition');
    expect(cluster.condition('after')?.message).toContain("1 node(s) didn't match scheduler-enforced node affinity.");
  });

  it('that throws makes the pod wait and try again, and stops nobody else', async () => {
    let faults = 1;
    const faulty: SchedulerPolicy = {
      name: 'Faulty',
      create: () => ({
        filter({ pod }) {
          if (pod.name === 'unlucky' && faults-- > 0) throw new Error('a bug');
          return 0;
        },
      }),
    };
    cluster = new TestCluster({ faulty, ...POLICIES });
    cluster.addNode(aNode('n1'));
    await cluster.startScheduler();
    cluster.addPod(aPod('unlucky'));
    cluster.addPod(aPod('lucky'));
    await cluster.bound('lucky');
    await cluster.bound('unlucky');
    expect(cluster.events('FailedScheduling')).toEqual(['a bug']);
  });

  it('may hold a pod back at Permit while others pass, and then refuse it', async () => {
    let refuse: (value: { code: 'Unschedulable'; reasons: string[] }) => void = () => undefined;
    const permitting: SchedulerPolicy = {
      name: 'Permitting',
      create: () => ({
        permit: ({ pod }) => (pod.name === 'held' ? new Promise((resolve) => (refuse = resolve)) : undefined),
        events: [],
      }),
    };
    cluster = new TestCluster({ permitting, ...POLICIES });
    cluster.addNode(aNode('n1'));
    const scheduler = await cluster.startScheduler();
    cluster.addPod(aPod('held'));
    cluster.addPod(aPod('passes'));
    await cluster.bound('passes');
    expect(scheduler.cluster.placedCount).toBe(2);
    refuse({ code: 'Unschedulable', reasons: ['its partner did not come'] });
    await cluster.until(() => cluster.condition('held') !== undefined, 'a condition');
    expect(cluster.condition('held')?.message).toBe('its partner did not come');
    expect(scheduler.cluster.placedCount).toBe(1);
  });
});

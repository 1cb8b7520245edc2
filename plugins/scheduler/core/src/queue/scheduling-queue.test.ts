import { ClusterEvents, type PodInfo, type PolicyInstance } from '@kubernel/sdk';
import { Nodes, ParsedPod } from '@kubernel/sdk/scheduling';
import { aPod } from '@kubernel/sdk/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { type QueueEntry, SchedulingQueue } from './scheduling-queue.ts';

const nodes = new Nodes();
const pod = (name: string, spec: Parameters<typeof aPod>[1] = {}): PodInfo => new ParsedPod(aPod(name, spec), nodes);
const onNodes: PolicyInstance = { events: [{ events: ClusterEvents.NodeAdded }] };
const onPods: PolicyInstance = { events: [{ events: ClusterEvents.PodGone, hint: (_, event) => event.node === 1 }] };
const nodeAdded = { events: ClusterEvents.NodeAdded, node: 0 };

let now: number;
let queue: SchedulingQueue;
let log: string[];

beforeEach(() => {
  now = 0;
  log = [];
  queue = new SchedulingQueue(
    () => now,
    ({ pod: { spec } }) => (spec.schedulingGates?.length ? { code: 'UnschedulableAndUnresolvable', reasons: ['gated'] } : undefined),
    (a, b) => b.info.priority - a.info.priority || a.queuedAt - b.queuedAt,
  );
});

/** Writes a line: what happened, and where every pod is. */
function note(what: string): void {
  const { active, backoff, waiting, gated } = queue.sizes;
  log.push(`${(now / 1000).toFixed(1)}s ${what}: ${active} active, ${backoff} backoff, ${waiting} waiting, ${gated} gated`);
}

function pop(): QueueEntry {
  return queue.pop() as QueueEntry;
}

function popNames(): string[] {
  const names: string[] = [];
  for (let entry = queue.pop(); entry; entry = queue.pop()) names.push(entry.info.name);
  return names;
}

describe('the life of a pod that does not fit', () => {
  it('is a wait for an event that helps, then a backoff that doubles up to ten seconds', () => {
    queue.add(pod('a'));
    note('added');
    for (let attempt = 1; attempt <= 6; attempt++) {
      const entry = pop();
      // Something else is to be done, so that the backoff is kept.
      queue.requeue(entry, { rejectedBy: [onNodes] });
      note(`attempt ${attempt} found no node`);
      queue.event({ events: ClusterEvents.PodGone, node: 1 });
      note('a pod went, which is no help');
      queue.event(nodeAdded);
      note('a node came');
      now = entry.backoffUntil;
      queue.flush();
      note('backoff over');
    }
    expect(log).toEqual([
      '0.0s added: 1 active, 0 backoff, 0 waiting, 0 gated',
      ...[1, 2, 4, 8, 10, 10].flatMap((seconds, i, all) => {
        const at = all.slice(0, i).reduce((sum, wait) => sum + wait, 0);
        return [
          `${at}.0s attempt ${i + 1} found no node: 0 active, 0 backoff, 1 waiting, 0 gated`,
          `${at}.0s a pod went, which is no help: 0 active, 0 backoff, 1 waiting, 0 gated`,
          `${at}.0s a node came: 0 active, 1 backoff, 0 waiting, 0 gated`,
          `${at + seconds}.0s backoff over: 1 active, 0 backoff, 0 waiting, 0 gated`,
        ];
      }),
    ]);
  });

  it('ends its backoff early when nothing else is to be done', () => {
    queue.add(pod('a'));
    queue.requeue(pop(), { rejectedBy: [onNodes] });
    queue.event(nodeAdded);
    expect(queue.sizes.backoff).toBe(1);
    expect(popNames()).toEqual(['a']);
  });

  it('is tried again after five minutes, whatever happens', () => {
    queue.add(pod('a'));
    queue.requeue(pop(), { rejectedBy: [onNodes] });
    expect(queue.nextFlushAt()).toBe(300_000);
    now = 299_999;
    expect(popNames()).toEqual([]);
    now = 300_000;
    expect(popNames()).toEqual(['a']);
  });

  it('heeds the hint of the policy that rejected it', () => {
    queue.add(pod('a'));
    queue.requeue(pop(), { rejectedBy: [onPods] });
    now = 60_000;
    queue.event({ events: ClusterEvents.PodGone, node: 0 });
    expect(popNames()).toEqual([]);
    queue.event({ events: ClusterEvents.PodGone, node: 1 });
    expect(popNames()).toEqual(['a']);
  });

  it('is not left waiting for an event that came while it was being tried', () => {
    queue.add(pod('a'));
    const entry = pop();
    queue.event(nodeAdded);
    queue.requeue(entry, { rejectedBy: [onNodes] });
    expect(queue.sizes).toMatchObject({ backoff: 1, waiting: 0 });
  });

  it('is tried again at once when someone asks for it', () => {
    queue.add(pod('a'));
    queue.requeue(pop(), { rejectedBy: [onNodes] });
    queue.activate('uid-a');
    expect(queue.sizes).toMatchObject({ active: 1, waiting: 0 });
  });
});

describe('a pod whose attempt broke', () => {
  it('sits its backoff out, even when nothing else is to be done', () => {
    queue.add(pod('a'));
    queue.requeue(pop(), 'broken');
    expect(popNames()).toEqual([]);
    expect(queue.nextFlushAt()).toBe(1_000);
    now = 1_000;
    expect(popNames()).toEqual(['a']);
  });
});

describe('order', () => {
  it('is that of the QueueSort policy, and can change', () => {
    queue.add(pod('old', { priority: 0 }));
    now = 1;
    queue.add(pod('new', { priority: 0 }));
    queue.add(pod('high', { priority: 5 }));
    const entries = [pop(), pop(), pop()];
    expect(entries.map(({ info }) => info.name)).toEqual(['high', 'old', 'new']);
    for (const name of ['x', 'z', 'y']) queue.add(pod(name));
    queue.reorder((a, b) => (a.info.name < b.info.name ? 1 : -1));
    expect(popNames()).toEqual(['z', 'y', 'x']);
  });

  it('holds for many pods that come, change and go', () => {
    let seed = 3;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const there = new Map<string, number>();
    for (let step = 0; step < 2_000; step++) {
      const name = `p${random(300)}`;
      const priority = random(50);
      if (there.has(name) && random(2)) {
        queue.delete(`uid-${name}`);
        there.delete(name);
      } else {
        queue.add(pod(name, { priority }));
        there.set(name, priority);
      }
    }
    const priorities: number[] = [];
    for (let entry = queue.pop(); entry; entry = queue.pop()) priorities.push(entry.info.priority);
    expect(priorities).toEqual([...there.values()].sort((a, b) => b - a));
  });
});

describe('gates', () => {
  it('keep a pod out until an update of it opens them', () => {
    queue.add(pod('a', { schedulingGates: [{ name: 'g' }] }));
    note('added');
    queue.event(nodeAdded);
    note('a node came');
    queue.update(pod('a'));
    note('gates gone');
    expect(log).toEqual([
      '0.0s added: 0 active, 0 backoff, 0 waiting, 1 gated',
      '0.0s a node came: 0 active, 0 backoff, 0 waiting, 1 gated',
      '0.0s gates gone: 1 active, 0 backoff, 0 waiting, 0 gated',
    ]);
  });
});

describe('a pod that is deleted', () => {
  it.each(['active', 'waiting', 'backoff', 'in flight'])('while %s is gone for good', (place) => {
    queue.add(pod('a'));
    const entry = place === 'active' ? undefined : pop();
    if (entry && place === 'waiting') queue.requeue(entry, { rejectedBy: [onNodes] });
    if (entry && place === 'backoff') queue.requeue(entry, 'broken');
    queue.delete('uid-a');
    if (entry) queue.requeue(entry, 'broken');
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, waiting: 0, gated: 0 });
    expect(queue.get('uid-a')).toBeUndefined();
  });
});

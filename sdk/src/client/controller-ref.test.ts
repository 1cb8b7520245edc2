import { expect, test } from 'vitest';
import type { Pod, ReplicaSet } from '../api/kinds/index.ts';
import type { OwnerReference } from '../api/object.ts';
import { selectorOf } from '../api/selector.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { isConditionTrue, withCondition, withoutCondition } from './conditions.ts';
import { claimObjects, controllerOf, controllerRef } from './controller-ref.ts';
import { Expectations } from './expectations.ts';
import { PODS, REPLICA_SETS } from './resources.ts';
import { createClient } from './rest-client.ts';

const labels = { app: 'web' };

function setUp() {
  const api = new FakeApi();
  const client = createClient(api);
  const owner = api.put<ReplicaSet>(REPLICA_SETS, {
    metadata: { name: 'web', namespace: 'x' },
    spec: { selector: { matchLabels: labels }, template: { spec: { containers: [] } } },
  });
  const pod = (name: string, podLabels: Record<string, string>, ownerReferences?: OwnerReference[]): Pod =>
    api.put<Pod>(PODS, {
      metadata: { name, namespace: 'x', labels: podLabels, ...(ownerReferences ? { ownerReferences } : {}) },
      spec: { containers: [] },
    });
  const claim = (owns = owner): Promise<Pod[]> =>
    claimObjects<Pod>({
      client,
      resource: PODS,
      owner: owns,
      ownerApiVersion: 'apps/v1',
      ownerKind: 'ReplicaSet',
      selector: selectorOf(owns.spec.selector),
      candidates: api.all<Pod>(PODS),
      freshOwner: () => client.get<ReplicaSet>(REPLICA_SETS, 'web', { namespace: 'x' }),
    });
  const names = (pods: Pod[]): (string | undefined)[] => pods.map(({ metadata }) => metadata.name);
  return { api, owner, pod, claim, names };
}

test('an owner keeps what matches, adopts orphans that match and releases what no longer does', async () => {
  const { api, owner, pod, claim, names } = setUp();
  const mine = controllerRef(owner, 'apps/v1', 'ReplicaSet');
  pod('mine', labels, [mine]);
  pod('strayed', { app: 'other' }, [mine]);
  pod('orphan', labels);
  pod('others', labels, [{ ...mine, uid: 'someone-else' }]);
  pod('stranger', { app: 'other' });
  expect(names(await claim())).toEqual(['mine', 'orphan']);
  expect(controllerOf(api.get<Pod>(PODS, 'x/orphan') as Pod)).toEqual(mine);
  expect(api.get<Pod>(PODS, 'x/strayed')?.metadata.ownerReferences).toBeUndefined();
  expect(api.get<Pod>(PODS, 'x/others')?.metadata.ownerReferences?.[0]?.uid).toBe('someone-else');
});

test('claiming costs no request when nothing changes', async () => {
  const { api, owner, pod, claim } = setUp();
  pod('mine', labels, [controllerRef(owner, 'apps/v1', 'ReplicaSet')]);
  await claim();
  expect(api.requests).toEqual([]);
});

test('an owner that is being deleted, or was replaced meanwhile, adopts nothing', async () => {
  const { api, owner, pod, claim } = setUp();
  pod('orphan', labels);
  expect(await claim({ ...owner, metadata: { ...owner.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })).toEqual([]);
  api.remove(REPLICA_SETS, 'x/web');
  expect(await claim()).toEqual([]);
  api.put<ReplicaSet>(REPLICA_SETS, { ...owner, metadata: { name: 'web', namespace: 'x' } });
  expect(await claim()).toEqual([]);
  expect(controllerOf(api.get<Pod>(PODS, 'x/orphan') as Pod)).toBeUndefined();
});

test('expectations hold until all was seen, and no longer than their time', () => {
  let now = 0;
  const expectations = new Expectations({ now: () => now });
  expect(expectations.satisfied('a')).toBe(true);
  expectations.expectCreations('a', 2);
  expectations.expectDeletions('a', ['u1', 'u2']);
  expectations.creationSeen('a');
  expectations.creationSeen('a');
  expectations.deletionSeen('a', 'someone');
  expectations.deletionSeen('a', 'u1');
  expect(expectations.satisfied('a')).toBe(false);
  expectations.deletionSeen('a', 'u2');
  expect(expectations.satisfied('a')).toBe(true);
  expectations.expectCreations('a', 1);
  expect(expectations.satisfied('a')).toBe(false);
  now = 5 * 60_000 + 1;
  expect(expectations.satisfied('a')).toBe(true);
});

test('a condition keeps its transition time until its status changes, and its list until anything does', () => {
  const first = withCondition(undefined, { type: 'Ready', status: 'True', reason: 'A' }, 't1');
  expect(withCondition(first, { type: 'Ready', status: 'True', reason: 'A' }, 't2')).toBe(first);
  const second = withCondition(first, { type: 'Ready', status: 'True', reason: 'B' }, 't2');
  expect(second[0]).toMatchObject({ reason: 'B', lastTransitionTime: 't1' });
  const third = withCondition(second, { type: 'Ready', status: 'False', reason: 'B' }, 't3');
  expect(third[0]).toMatchObject({ status: 'False', lastTransitionTime: 't3' });
  expect(isConditionTrue(second, 'Ready')).toBe(true);
  expect(withoutCondition(third, 'Ready')).toEqual([]);
  expect(withoutCondition(third, 'Other')).toBe(third);
});

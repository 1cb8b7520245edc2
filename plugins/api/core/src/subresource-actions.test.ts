import type { SubresourceRequest } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { describe, expect, test } from 'vitest';
import { subresourceActions } from './subresource-actions.ts';

/** A request over objects in memory; what it deletes and updates can be read afterwards. */
function requestOf(pod: KubeObject, body: Record<string, unknown>, budgets: KubeObject[] = [], dryRun = false) {
  const done = { deleted: [] as unknown[], pod, budgets };
  const request = {
    name: pod.metadata.name,
    namespace: 'ns',
    body: { metadata: {}, ...body },
    object: pod,
    dryRun,
    reader: { list: () => budgets },
    async updateObject(change: (object: KubeObject) => void) {
      change(pod);
      return pod;
    },
    async updateRelated(_group: string, _resource: string, name: string, change: (object: KubeObject) => void) {
      const budget = budgets.find(({ metadata }) => metadata.name === name) as KubeObject;
      change(budget);
      return budget;
    },
    async deleteObject(options: unknown) {
      done.deleted.push(options);
    },
  } as unknown as SubresourceRequest;
  return { request, done };
}

const pod = (status: object = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }): KubeObject => ({
  metadata: { name: 'web', namespace: 'ns', uid: 'u1', labels: { app: 'web' } },
  spec: {},
  status,
});
const budget = (allowed: number, rest: object = {}): KubeObject => ({
  metadata: { name: 'b', generation: 1 },
  spec: { selector: { matchLabels: { app: 'web' } }, ...rest },
  status: { observedGeneration: 1, disruptionsAllowed: allowed, currentHealthy: 1, desiredHealthy: 1 },
});

describe('binding', () => {
  test('assigns the pod, carries annotations over and sets PodScheduled', async () => {
    const { request, done } = requestOf(pod(), {
      metadata: { name: 'web', annotations: { a: 'b' } },
      target: { kind: 'Node', name: 'n1' },
    });
    expect(await subresourceActions.bindPod(request)).toMatchObject({ kind: 'Status', status: 'Success', code: 201 });
    expect(done.pod).toMatchObject({ metadata: { annotations: { a: 'b' } }, spec: { nodeName: 'n1' } });
    expect((done.pod.status as { conditions: object[] }).conditions).toContainEqual(
      expect.objectContaining({ type: 'PodScheduled', status: 'True' }),
    );
  });

  test.each([
    [{ spec: { nodeName: 'n0' } }, {}, 409, 'pod web is already assigned to node "n0"'],
    [{ spec: { schedulingGates: [{}] } }, {}, 409, 'pod web has non-empty .spec.schedulingGates'],
    [{}, { metadata: { name: 'other' } }, 400, 'name in URL does not match name in Binding object'],
    [{}, { metadata: { uid: 'zz' } }, 409, 'UID in precondition: zz, UID in object meta: u1'],
    [{}, { target: { kind: 'Pod', name: 'x' } }, 422, 'target.kind: Unsupported value: "Pod"'],
  ])('is refused for %j with %j', async (change, body, code, message) => {
    const { request } = requestOf({ ...pod(), ...change }, { target: { name: 'n1' }, ...body });
    await expect(subresourceActions.bindPod(request)).rejects.toMatchObject({
      status: { code, message: expect.stringContaining(message) },
    });
  });
});

describe('eviction', () => {
  test('counts the budget down and deletes', async () => {
    const { request, done } = requestOf(pod(), {}, [budget(1)]);
    await subresourceActions.evict(request);
    expect(done.deleted).toHaveLength(1);
    expect(done.budgets[0]?.status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { web: expect.any(String) } });
  });

  test('is refused with 429 when the budget has no room, or is not up to date', async () => {
    const full = requestOf(pod(), {}, [budget(0)]);
    await expect(subresourceActions.evict(full.request)).rejects.toMatchObject({
      status: { code: 429, reason: 'TooManyRequests', details: { causes: [{ reason: 'DisruptionBudget' }] } },
    });
    expect(full.done.deleted).toEqual([]);
    const stale = budget(1);
    stale.metadata.generation = 2;
    await expect(subresourceActions.evict(requestOf(pod(), {}, [stale]).request)).rejects.toMatchObject({
      status: { details: { retryAfterSeconds: 10 } },
    });
  });

  test('ignores the budget for pods that run nothing, and for unhealthy ones where it says so', async () => {
    for (const [status, rest] of [
      [{ phase: 'Pending' }, {}],
      [{ phase: 'Succeeded' }, {}],
      [{ phase: 'Running' }, { unhealthyPodEvictionPolicy: 'AlwaysAllow' }],
    ] as const) {
      const { request, done } = requestOf(pod(status), {}, [budget(0, rest)]);
      await subresourceActions.evict(request);
      expect(done.deleted).toHaveLength(1);
    }
  });

  test('with two budgets is an error, and a dry run of the body deletes nothing', async () => {
    await expect(subresourceActions.evict(requestOf(pod(), {}, [budget(1), budget(1)]).request)).rejects.toMatchObject({
      status: { code: 500 },
    });
    const { request, done } = requestOf(pod(), { deleteOptions: { dryRun: ['All'] } }, [budget(1)]);
    await subresourceActions.evict(request);
    expect(done.deleted).toEqual([]);
    expect(done.budgets[0]?.status).toMatchObject({ disruptionsAllowed: 1 });
  });
});

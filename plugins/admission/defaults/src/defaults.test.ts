import type { Admission, AdmissionAttributes } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts';
import type { Pod } from './pod.ts';
import { priority } from './priority.ts';
import { runtimeClass } from './runtime-class.ts';
import { defaultTolerationSeconds, extendedResourceToleration, merged, taintNodesByCondition } from './tolerations.ts';

let reader: MemoryReader;
beforeEach(() => {
  reader = new MemoryReader();
});

async function run(plugin: Admission, object: KubeObject, more: Partial<AdmissionAttributes> = {}): Promise<string> {
  await plugin.init?.(reader);
  const request = admissionRequest({ object, ...more });
  try {
    await plugin.admit?.(request);
    await plugin.validate?.(request);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
const pod = (spec: Partial<Pod['spec']> = {}): Pod => ({ metadata: { name: 'x' }, spec: { containers: [{}], ...spec } });

describe('priority', () => {
  it('is zero without a class, and that of the default class where there is one', async () => {
    const object = pod();
    await run(priority(), object);
    expect(object.spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    reader.put('scheduling.k8s.io/priorityclasses', { metadata: { name: 'd' }, value: 7, globalDefault: true, preemptionPolicy: 'Never' });
    const other = pod();
    await run(priority(), other);
    expect(other.spec).toMatchObject({ priorityClassName: 'd', priority: 7, preemptionPolicy: 'Never' });
  });

  it('cannot be claimed by number, or by a class that is missing', async () => {
    expect(await run(priority(), pod({ priority: 5 }))).toContain('the integer value of priority (5) must not be provided in pod spec');
    expect(await run(priority(), pod({ priorityClassName: 'nope' }))).toBe(
      'pods "x" is forbidden: no PriorityClass with name nope was found',
    );
  });

  it('has one default class, and system classes that stay', async () => {
    reader.put('scheduling.k8s.io/priorityclasses', { metadata: { name: 'd' }, value: 7, globalDefault: true });
    const request = { group: 'scheduling.k8s.io', resource: 'priorityclasses', namespace: '' };
    const second = { metadata: { name: 'e' }, value: 8, globalDefault: true };
    expect(await run(priority(), second, request)).toBe(
      'priorityclasses.scheduling.k8s.io "e" is forbidden: PriorityClass d is already marked as default. Only one default can exist',
    );
    expect(await run(priority(), second, { ...request, operation: 'DELETE', name: 'system-node-critical' })).toContain(
      'this is a system priority class and cannot be deleted',
    );
  });
});

describe('tolerations', () => {
  it('of nodes that are not ready or unreachable last five minutes unless the pod says otherwise', async () => {
    const plain = pod();
    await run(defaultTolerationSeconds({}), plain);
    expect(plain.spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds])).toEqual([
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 300],
    ]);
    const all = pod({ tolerations: [{ operator: 'Exists' }] });
    await run(defaultTolerationSeconds({}), all);
    expect(all.spec.tolerations).toHaveLength(1);
  });

  it('are merged without what another covers', () => {
    const wide = { key: 'k', operator: 'Exists' };
    expect(merged([{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }], [wide])).toEqual([wide]);
    expect(merged([wide], [wide])).toEqual([wide]);
  });

  it('follow requested devices, where that is switched on', async () => {
    const object = pod({ containers: [{ resources: { requests: { 'e.com/gpu': '1', cpu: '1' } } }] });
    await run(extendedResourceToleration(), object);
    expect(object.spec.tolerations).toEqual([{ key: 'e.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
  });

  it('are not what a new node counts on: it starts tainted', async () => {
    const node: KubeObject = { metadata: { name: 'n' } };
    await run(taintNodesByCondition(), node, { resource: 'nodes', namespace: '' });
    expect(node.spec).toEqual({ taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] });
  });
});

describe('runtime-class', () => {
  beforeEach(() => {
    const scheduling = { nodeSelector: { a: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' }] };
    reader.put('node.k8s.io/runtimeclasses', { metadata: { name: 'r' }, overhead: { podFixed: { cpu: '100m' } }, scheduling });
  });

  it('brings its overhead and placement', async () => {
    const object = pod({ runtimeClassName: 'r' });
    expect(await run(runtimeClass(), object)).toBe('');
    expect(object.spec).toMatchObject({ overhead: { cpu: '100m' }, nodeSelector: { a: 'b' }, tolerations: [{ key: 'k' }] });
  });

  it('refuses what contradicts it', async () => {
    expect(await run(runtimeClass(), pod({ runtimeClassName: 'nope' }))).toContain('pod rejected: RuntimeClass "nope" not found');
    expect(await run(runtimeClass(), pod({ runtimeClassName: 'r', overhead: { cpu: '1' } }))).toContain("Pod's Overhead doesn't match");
    expect(await run(runtimeClass(), pod({ runtimeClassName: 'r', nodeSelector: { a: 'c' } }))).toContain(
      'conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c',
    );
    expect(await run(runtimeClass(), pod({ overhead: { cpu: '1' } }))).toContain('Pod Overhead set without corresponding RuntimeClass');
  });
});

describe('default classes', () => {
  it('are the newest marked one, and only for who names none', async () => {
    const storage = (name: string, made: string, value = 'true'): void =>
      reader.put('storage.k8s.io/storageclasses', {
        metadata: { name, creationTimestamp: made, annotations: { 'storageclass.kubernetes.io/is-default-class': value } },
      });
    storage('old', '2020-01-01T00:00:00Z');
    storage('new', '2021-01-01T00:00:00Z');
    storage('not', '2022-01-01T00:00:00Z', 'false');
    const claim: KubeObject = { metadata: { name: 'x' }, spec: {} };
    await run(defaultStorageClass(), claim);
    expect(claim.spec).toEqual({ storageClassName: 'new' });
    const none: KubeObject = { metadata: { name: 'x' }, spec: { storageClassName: '' } };
    await run(defaultStorageClass(), none);
    expect(none.spec).toEqual({ storageClassName: '' });
    reader.put('networking.k8s.io/ingressclasses', {
      metadata: { name: 'i', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    });
    const annotated: KubeObject = { metadata: { name: 'x', annotations: { 'kubernetes.io/ingress.class': 'z' } } };
    await run(defaultIngressClass(), annotated);
    expect(annotated.spec).toBeUndefined();
    const ingress: KubeObject = { metadata: { name: 'x' } };
    await run(defaultIngressClass(), ingress);
    expect(ingress.spec).toEqual({ ingressClassName: 'i' });
  });
});

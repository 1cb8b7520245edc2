import { StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Client } from '@kubernel/sdk/client';
import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { toRecord } from './amounts.ts';
import { evaluatorOf } from './evaluators.ts';
import type { ResourceQuota } from './ledger.ts';
import type { Pod } from './pods.ts';
import { podConstraints, podInScope } from './pods.ts';
import { resourceQuota } from './resource-quota.ts';

let reader: MemoryReader;
let writes: ResourceQuota[];
let conflicts: number;

/** Stores what is written, as the API server would, a moment later. */
const client = (): Client =>
  ({
    async update(_resource: unknown, quota: ResourceQuota) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const current = reader.get('', 'resourcequotas', 'ns', quota.metadata.name ?? '');
      if (conflicts-- > 0 || current?.metadata.resourceVersion !== quota.metadata.resourceVersion)
        throw new StatusError(409, 'Conflict', 'modified');
      const stored = { ...quota, metadata: { ...quota.metadata, resourceVersion: String(Number(quota.metadata.resourceVersion) + 1) } };
      writes.push(stored);
      reader.put('/resourcequotas', stored);
      return stored;
    },
  }) as unknown as Client;

beforeEach(() => {
  reader = new MemoryReader();
  writes = [];
  conflicts = 0;
});

function quota(hard: Record<string, string>, spec: object = {}): void {
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
  reader.put('/resourcequotas', {
    metadata: { name: 'q', namespace: 'ns', uid: 'u', resourceVersion: '1' },
    spec: { hard, ...spec },
    status: { hard, used },
  });
}
const pod = (name: string, requests: Record<string, string> = {}): Pod => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', resources: { requests } }] },
});

async function admit(plugin: ReturnType<typeof resourceQuota>, object: KubeObject, more = {}): Promise<string> {
  try {
    await plugin.validate?.(admissionRequest({ object, ...more }));
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
function start() {
  const plugin = resourceQuota(client);
  void plugin.init?.(reader);
  return plugin;
}

describe('resource-quota', () => {
  it('counts what it lets in and refuses what does not fit', async () => {
    quota({ 'requests.cpu': '1', pods: '5' });
    const plugin = start();
    expect(await admit(plugin, pod('x', { cpu: '700m' }))).toBe('');
    expect(await admit(plugin, pod('y', { cpu: '400m' }))).toBe(
      'pods "y" is forbidden: exceeded quota: q, requested: requests.cpu=400m, used: requests.cpu=700m, limited: requests.cpu=1',
    );
    expect(reader.get<ResourceQuota>('', 'resourcequotas', 'ns', 'q')?.status?.used).toEqual({ 'requests.cpu': '700m', pods: '1' });
  });

  it('never lets more in than fits, however many ask at once, and writes once for those who waited', async () => {
    quota({ pods: '10' });
    const plugin = start();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => admit(plugin, pod(`p${index}`))));
    expect(answers.filter((answer) => answer === '')).toHaveLength(10);
    expect(reader.get<ResourceQuota>('', 'resourcequotas', 'ns', 'q')?.status?.used).toEqual({ pods: '10' });
    expect(writes.length).toBeLessThanOrEqual(2);
  });

  it('decides again when somebody else counted meanwhile', async () => {
    quota({ pods: '1' });
    conflicts = 2;
    expect(await admit(start(), pod('x'))).toBe('');
    expect(writes).toHaveLength(1);
  });

  it('counts nothing for a dry run, but refuses all the same', async () => {
    quota({ pods: '1' });
    const plugin = start();
    expect(await admit(plugin, pod('x'), { dryRun: true })).toBe('');
    expect(writes).toHaveLength(0);
    await admit(plugin, pod('x'));
    expect(await admit(plugin, pod('y'), { dryRun: true })).toContain('exceeded quota');
  });

  it('wants every container to say what it needs, and refuses while the usage is unknown', async () => {
    quota({ 'requests.cpu': '1', 'limits.memory': '1Gi' });
    expect(await admit(start(), pod('x'))).toBe(
      'pods "x" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
    );
    reader.put('/resourcequotas', {
      metadata: { name: 'q', namespace: 'ns', uid: 'u', resourceVersion: '1' },
      status: { hard: { pods: '1' } },
    });
    expect(await admit(start(), pod('x'))).toBe('pods "x" is forbidden: status unknown for quota: q, resources: pods');
  });

  it('counts growth of a claim, and objects of any kind', async () => {
    quota({ 'requests.storage': '3Gi', 'count/deployments.apps': '0' });
    const claim = (storage: string): KubeObject => ({ metadata: { name: 'x' }, spec: { resources: { requests: { storage } } } });
    const plugin = start();
    const grown = { resource: 'persistentvolumeclaims', oldObject: claim('1Gi') };
    expect(await admit(plugin, claim('3Gi'), grown)).toBe('');
    expect(await admit(plugin, claim('3Gi'), grown)).toContain('requested: requests.storage=2Gi, used: requests.storage=2Gi');
    expect(await admit(plugin, { metadata: { name: 'd' } }, { group: 'apps', resource: 'deployments' })).toContain(
      'count/deployments.apps=1',
    );
  });
});

describe('evaluators', () => {
  it('know what services cost', () => {
    const usage = (spec: object): unknown => toRecord(evaluatorOf('', 'services').usage({ metadata: {}, spec }));
    expect(usage({ type: 'NodePort', ports: [{}, {}] })).toEqual({ 'services.nodeports': '2', 'count/services': '1', services: '1' });
    expect(usage({ type: 'LoadBalancer', ports: [{}], allocateLoadBalancerNodePorts: false })).toMatchObject({
      'services.loadbalancers': '1',
      'services.nodeports': '0',
    });
  });

  it('know what pods cost: extended resources, overhead, init containers, and nothing once they ended', () => {
    const usage = (object: Pod): unknown => toRecord(evaluatorOf('', 'pods').usage(object));
    const object = pod('x', { cpu: '1', 'e.com/gpu': '2' });
    object.spec.initContainers = [{ name: 'i', resources: { requests: { cpu: '3' } } }];
    object.spec.overhead = { cpu: '100m' };
    expect(usage(object)).toMatchObject({ pods: '1', 'count/pods': '1', cpu: '3100m', 'requests.cpu': '3100m', 'requests.e.com/gpu': '2' });
    expect(usage({ ...object, status: { phase: 'Succeeded' } })).toEqual({});
  });

  it('match pods to scopes', () => {
    expect(podInScope(pod('x'), { scopes: ['BestEffort', 'NotTerminating'] })).toBe(true);
    expect(podInScope(pod('x', { cpu: '1' }), { scopes: ['BestEffort'] })).toBe(false);
    const high = { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] };
    expect(podInScope({ ...pod('x'), spec: { ...pod('x').spec, priorityClassName: 'high' } }, { scopeSelector: high })).toBe(true);
    expect(podConstraints(pod('x', { cpu: '1' }), ['requests.cpu'])).toBeUndefined();
  });
});

import type { AdmissionAttributes } from '@kubernel/sdk';
import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { nodeRestriction } from './node-restriction.ts';

const user = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };

function run(request: Partial<AdmissionAttributes>): string {
  const reader = new MemoryReader();
  reader.put('/nodes', { metadata: { name: 'n1', uid: 'u1' } });
  reader.put('/pods', { metadata: { name: 'mine', namespace: 'ns', uid: 'p1' }, spec: { nodeName: 'n1' } });
  reader.put('/pods', { metadata: { name: 'other', namespace: 'ns', uid: 'p2' }, spec: { nodeName: 'n2' } });
  const plugin = nodeRestriction();
  void plugin.init?.(reader);
  try {
    void plugin.admit?.(admissionRequest({ user, ...request }));
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a node', () => {
  it('changes its own Node, but not what attracts pods', () => {
    const node = (labels = {}, taints: unknown[] = []) => ({ metadata: { name: 'n1', labels }, spec: { taints } });
    const update = { resource: 'nodes', namespace: '', name: 'n1', oldObject: node() };
    expect(run({ ...update, object: node({ 'kubernetes.io/hostname': 'n1', mine: 'x' }) })).toBe('');
    expect(run({ ...update, object: node({ 'node-restriction.kubernetes.io/a': 'x' }) })).toContain(
      'is not allowed to modify labels: node-restriction.kubernetes.io/a',
    );
    expect(run({ ...update, object: node({}, [{ key: 'a' }]) })).toContain('node "n1" is not allowed to modify taints');
    expect(run({ resource: 'nodes', namespace: '', object: { metadata: { name: 'n2' } } })).toBe(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    );
  });

  it('reports and deletes its own pods only', () => {
    const status = (nodeName: string) => ({ metadata: { name: 'x' }, spec: { nodeName } });
    expect(run({ subresource: 'status', object: status('n1'), oldObject: status('n1') })).toBe('');
    expect(run({ subresource: 'status', object: status('n2'), oldObject: status('n2') })).toContain(
      'node "n1" can only update pod status for pods with spec.nodeName set to itself',
    );
    expect(run({ operation: 'DELETE', name: 'mine' })).toBe('');
    expect(run({ operation: 'DELETE', name: 'other' })).toContain('node "n1" can only delete pods with spec.nodeName set to itself');
    expect(run({ subresource: 'eviction', name: 'other' })).toContain('can only evict pods');
  });

  it('creates mirror pods that claim nothing', () => {
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true };
    const pod = (spec: object, ownerReferences = [owner]) => ({
      metadata: { name: 'm', annotations: { 'kubernetes.io/config.mirror': 'h' }, ownerReferences },
      spec: { nodeName: 'n1', ...spec },
    });
    expect(run({ object: pod({}) })).toBe('');
    expect(run({ object: { metadata: { name: 'm' }, spec: { nodeName: 'n1' } } })).toContain('can only create mirror pods');
    expect(run({ object: pod({}, [{ ...owner, uid: 'z' }]) })).toContain('UID mismatch');
    expect(run({ object: pod({ volumes: [{ name: 'v', secret: { secretName: 's' } }] }) })).toContain(
      'can not create pods that reference secrets',
    );
    expect(run({ object: pod({ serviceAccountName: 'sa' }) })).toContain('reference a service account');
  });

  it('asks for tokens of its own pods, and keeps its own lease', () => {
    const token = (name: string, uid: string) => ({
      resource: 'serviceaccounts',
      subresource: 'token',
      name: 'sa',
      object: { metadata: {}, spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } } },
    });
    expect(run(token('mine', 'p1'))).toBe('');
    expect(run(token('mine', 'zz'))).toContain('does not match the UID in record');
    expect(run(token('other', 'p2'))).toContain('node requested token bound to a pod scheduled on a different node');
    const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease' };
    expect(run({ ...lease, object: { metadata: { name: 'n1' } } })).toBe('');
    expect(run({ ...lease, object: { metadata: { name: 'n2' } } })).toContain('same name as the requesting node');
  });
});

describe('anybody else', () => {
  it('is not looked at', () => {
    expect(run({ user: { name: 'ann', groups: [] }, resource: 'nodes', object: { metadata: { name: 'n2' } } })).toBe('');
  });
});

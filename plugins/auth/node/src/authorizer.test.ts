import type { AuthzAttributes } from '@kubernel/sdk';
import { MemoryReader } from '@kubernel/sdk/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { nodeAuthorizer } from './authorizer.ts';

let reader: MemoryReader;
let ask: (verb: string, resource: string, more?: Partial<AuthzAttributes>) => string;

beforeEach(() => {
  reader = new MemoryReader();
  const authorizer = nodeAuthorizer();
  void authorizer.init?.(reader);
  ask = (verb, path, more = {}) => {
    const [resource = '', subresource = ''] = path.split('/');
    const user = { name: 'system:node:n1', groups: ['system:nodes'] };
    const attributes = {
      user,
      verb,
      resourceRequest: true,
      group: '',
      version: 'v1',
      resource,
      subresource,
      namespace: 'ns',
      name: '',
      path: '',
    };
    const { decision, reason } = authorizer.authorize({ ...attributes, ...more }) as { decision: string; reason?: string };
    return decision === 'allow' ? 'yes' : (reason ?? 'no');
  };
  reader.put('/pods', pod('n1', 'a'));
});

const pod = (nodeName: string, secret: string) => ({
  metadata: { name: `p-${nodeName}`, namespace: 'ns' },
  spec: {
    nodeName,
    serviceAccountName: 'sa',
    containers: [{ envFrom: [{ configMapRef: { name: 'c' } }] }],
    volumes: [
      { name: 'v', secret: { secretName: secret } },
      { name: 'd', persistentVolumeClaim: { claimName: 'claim' } },
    ],
  },
});

describe('a node', () => {
  it('reads what its pods refer to, and nothing else', () => {
    expect(ask('get', 'secrets', { name: 'a' })).toBe('yes');
    expect(ask('get', 'configmaps', { name: 'c' })).toBe('yes');
    expect(ask('get', 'secrets', { name: 'b' })).toBe("no relationship found between node 'n1' and this object");
    expect(ask('list', 'secrets')).toBe('No Object name found');
    expect(ask('create', 'secrets')).toBe('can only read resources of this type');
    expect(ask('create', 'serviceaccounts/token', { name: 'sa' })).toBe('yes');
  });

  it('loses sight of an object with the last of its pods that refers to it', () => {
    expect(ask('get', 'secrets', { name: 'a' })).toBe('yes');
    reader.put('/pods', pod('n1', 'b'));
    expect([ask('get', 'secrets', { name: 'a' }), ask('get', 'secrets', { name: 'b' })]).toEqual([
      expect.stringContaining('no relationship'),
      'yes',
    ]);
    reader.remove('/pods', 'ns', 'p-n1');
    expect(ask('get', 'configmaps', { name: 'c' })).toContain('no relationship');
  });

  it('reads a volume of a claim of its pods, and the secret its driver needs', () => {
    reader.put('/persistentvolumes', {
      metadata: { name: 'pv' },
      spec: { claimRef: { namespace: 'ns', name: 'claim' }, csi: { nodeStageSecretRef: { namespace: 'ns', name: 's' } } },
    });
    expect(ask('get', 'persistentvolumeclaims', { name: 'claim' })).toBe('yes');
    expect(ask('get', 'persistentvolumes', { namespace: '', name: 'pv' })).toBe('yes');
    expect(ask('get', 'secrets', { name: 's' })).toBe('yes');
  });

  it('reads its own Node and pods by selector', () => {
    expect(ask('get', 'nodes', { namespace: '', name: 'n1' })).toBe('yes');
    expect(ask('get', 'nodes', { namespace: '', name: 'n2' })).toContain('only its own Node object');
    expect(ask('list', 'pods', { namespace: '', fieldSelector: 'spec.nodeName=n1' })).toBe('yes');
    expect(ask('watch', 'pods', { namespace: '', fieldSelector: 'spec.nodeName=n2' })).toBe(
      'can only list/watch pods with spec.nodeName field selector',
    );
    expect(ask('patch', 'pods/status', { name: 'x' })).toBe('yes');
  });

  it('keeps its own lease, and reads services', () => {
    const lease = { group: 'coordination.k8s.io', namespace: 'kube-node-lease' };
    expect(ask('update', 'leases', { ...lease, name: 'n1' })).toBe('yes');
    expect(ask('update', 'leases', { ...lease, name: 'n2' })).toContain('same name');
    expect(ask('get', 'leases', { ...lease, namespace: 'ns', name: 'n1' })).toContain('kube-node-lease');
    expect(ask('list', 'services')).toBe('yes');
    expect(ask('delete', 'services')).toBe('no');
  });
});

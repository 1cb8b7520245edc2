import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { namespaceLifecycle } from './namespace-lifecycle.ts';

function setup() {
  const reader = new MemoryReader();
  reader.put('/namespaces', { metadata: { name: 'ns' }, status: { phase: 'Active' } });
  const plugin = namespaceLifecycle();
  void plugin.init?.(reader);
  const refusal = async (request: Parameters<typeof admissionRequest>[0]): Promise<string> => {
    try {
      await plugin.admit?.(admissionRequest({ object: { metadata: { name: 'x' } }, ...request }));
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  return { reader, plugin, refusal };
}

describe('namespace-lifecycle', () => {
  it('lets objects into a namespace that is there, without waiting', () => {
    const { plugin } = setup();
    expect(plugin.admit?.(admissionRequest({ object: { metadata: { name: 'x' } } }))).toBeUndefined();
  });

  it('refuses a namespace that is missing, but only after the cache is fresh', async () => {
    const { reader, refusal } = setup();
    expect(await refusal({ namespace: 'nope' })).toBe('namespaces "nope" not found');
    Object.assign(reader, { fresh: async () => reader.put('/namespaces', { metadata: { name: 'late' } }) });
    expect(await refusal({ namespace: 'late' })).toBe('');
  });

  it('refuses new objects in a namespace that is being deleted, but lets the old ones change', async () => {
    const { reader, refusal } = setup();
    reader.put('/namespaces', { metadata: { name: 'ns' }, status: { phase: 'Terminating' } });
    expect(await refusal({})).toBe('pods "x" is forbidden: unable to create new content in namespace ns because it is being terminated');
    expect(await refusal({ oldObject: { metadata: { name: 'x' } } })).toBe('');
  });

  it('keeps the namespaces of the cluster', async () => {
    const { plugin, refusal } = setup();
    const request = { operation: 'DELETE', resource: 'namespaces', namespace: 'default', name: 'default', object: undefined } as const;
    expect(plugin.handles('DELETE', '', 'namespaces', '')).toBe(true);
    expect(await refusal(request)).toBe('namespaces "default" is forbidden: this namespace may not be deleted');
    expect(await refusal({ ...request, name: 'mine' })).toBe('');
  });
});

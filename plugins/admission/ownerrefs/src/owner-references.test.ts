import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { ownerReferencesPermission } from './owner-references.ts';

const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u' };
const object = (...ownerReferences: (typeof owner)[]) => ({ metadata: { name: 'x', ownerReferences } });

async function run(may: string[], now: object, before?: object): Promise<string> {
  const reader = new MemoryReader();
  reader.allows = ({ verb, group, resource, subresource, name }) => may.includes(`${verb} ${group}/${resource}/${subresource} ${name}`);
  const plugin = ownerReferencesPermission();
  await plugin.init?.(reader);
  try {
    await plugin.validate?.(
      admissionRequest({ resource: 'configmaps', object: now as never, ...(before ? { oldObject: before as never } : {}) }),
    );
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('owner references', () => {
  it('are set at creation by anybody, and later by who may delete', async () => {
    expect(await run([], object(owner))).toBe('');
    expect(await run([], object(owner), object())).toBe(
      `configmaps "x" is forbidden: cannot set an ownerRef on a resource you can't delete: , <nil>`,
    );
    expect(await run(['delete /configmaps/ x'], object(owner), object())).toBe('');
    expect(await run([], object(owner), object(owner))).toBe('');
  });

  it('block the owner only for who may finalize it', async () => {
    const blocking = { ...owner, blockOwnerDeletion: true };
    expect(await run([], object(blocking))).toContain(
      "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>",
    );
    expect(await run(['update apps/deployments/finalizers d'], object(blocking))).toBe('');
  });
});

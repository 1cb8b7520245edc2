import type { KubeObject } from '@kubernel/sdk/api';
import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { claimResize } from './claim-resize.ts';
import { inUseProtection } from './in-use-protection.ts';

describe('in-use protection', () => {
  it('puts a finalizer on new claims and volumes, once', () => {
    const claim: KubeObject = { metadata: { name: 'x', finalizers: ['a/b'] } };
    const request = admissionRequest({ resource: 'persistentvolumeclaims', object: claim });
    void inUseProtection().admit?.(request);
    void inUseProtection().admit?.(request);
    expect(claim.metadata.finalizers).toEqual(['a/b', 'kubernetes.io/pvc-protection']);
  });
});

describe('a claim', () => {
  const claim = (storage: string, phase: string, storageClassName = 'grows'): KubeObject => ({
    metadata: { name: 'x' },
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  });
  const resize = (object: KubeObject, oldObject: KubeObject): string => {
    const reader = new MemoryReader();
    reader.put('storage.k8s.io/storageclasses', { metadata: { name: 'grows' }, allowVolumeExpansion: true });
    const plugin = claimResize();
    void plugin.init?.(reader);
    try {
      void plugin.validate?.(admissionRequest({ resource: 'persistentvolumeclaims', object, oldObject }));
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('grows when it is bound and its class allows it', () => {
    expect(resize(claim('2Gi', 'Bound'), claim('1Gi', 'Bound'))).toBe('');
    expect(resize(claim('2Gi', 'Pending'), claim('1Gi', 'Pending'))).toContain('Only bound persistent volume claims can be expanded');
    expect(resize(claim('2Gi', 'Bound', 'fixed'), claim('1Gi', 'Bound', 'fixed'))).toContain(
      'the storageclass that provisions the pvc must support resize',
    );
    expect(resize(claim('1Gi', 'Pending'), claim('1Gi', 'Pending'))).toBe('');
  });
});

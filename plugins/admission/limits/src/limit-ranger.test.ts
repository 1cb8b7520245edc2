import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import type { LimitRangeItem } from './limit-ranger.ts';
import { limitRanger } from './limit-ranger.ts';
import type { Container, Pod } from './pod-totals.ts';
import { podTotals } from './pod-totals.ts';

async function admit(limits: LimitRangeItem[], object: Pod | Record<string, unknown>, resource = 'pods'): Promise<string> {
  const reader = new MemoryReader();
  reader.put('/limitranges', { metadata: { name: 'l', namespace: 'ns' }, spec: { limits } });
  const plugin = limitRanger();
  await plugin.init?.(reader);
  const request = admissionRequest({ object: object as Pod, resource });
  try {
    await plugin.admit?.(request);
    await plugin.validate?.(request);
    return '';
  } catch (error) {
    return (error as Error).message.replace(/^\w+ "x" is forbidden: /, '');
  }
}
const pod = (resources: Container['resources'] = {}): Pod => ({
  metadata: { name: 'x' },
  spec: { containers: [{ name: 'c', resources }] },
});

describe('limit-ranger', () => {
  it('fills in what containers leave out, and says so', async () => {
    const object = pod({ requests: { cpu: '500m' } });
    expect(
      await admit([{ type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '1', memory: '1Gi' } }], object),
    ).toBe('');
    expect(object.spec.containers[0]?.resources).toEqual({ requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } });
    expect(object.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory request for container c; cpu, memory limit for container c',
    );
  });

  it('holds containers to minimum, maximum and ratio', async () => {
    expect(await admit([{ type: 'Container', min: { cpu: '1' } }], pod())).toBe(
      'minimum cpu usage per Container is 1.  No request is specified',
    );
    expect(await admit([{ type: 'Container', min: { cpu: '1' } }], pod({ requests: { cpu: '500m' } }))).toBe(
      'minimum cpu usage per Container is 1, but request is 500m',
    );
    expect(await admit([{ type: 'Container', max: { cpu: '1' } }], pod({ limits: { cpu: '2' } }))).toBe(
      'maximum cpu usage per Container is 1, but limit is 2',
    );
    const ratio: LimitRangeItem[] = [{ type: 'Container', maxLimitRequestRatio: { cpu: '2' } }];
    expect(await admit(ratio, pod({ requests: { cpu: '1' }, limits: { cpu: '3' } }))).toBe(
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    );
    expect(await admit(ratio, pod({ requests: { cpu: '1' }, limits: { cpu: '2' } }))).toBe('');
    expect(await admit(ratio, pod())).toBe(
      'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
    );
  });

  it('names all that is wrong', async () => {
    expect(await admit([{ type: 'Container', max: { cpu: '1', memory: '1Gi' } }], pod({ limits: { cpu: '2' } }))).toBe(
      '[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi.  No limit is specified]',
    );
  });

  it('counts a pod as a whole, init containers and sidecars included', async () => {
    const object: Pod = {
      metadata: { name: 'x' },
      spec: {
        containers: [{ name: 'a', resources: { limits: { cpu: '1' } } }],
        initContainers: [
          { name: 's', restartPolicy: 'Always', resources: { limits: { cpu: '1' } } },
          { name: 'i', resources: { limits: { cpu: '3' } } },
        ],
      },
    };
    expect(podTotals(object).limits).toEqual({ cpu: '4' });
    expect(await admit([{ type: 'Pod', max: { cpu: '3' } }], object)).toBe('maximum cpu usage per Pod is 3, but limit is 4');
  });

  it('holds claims to their sizes', async () => {
    const claim = { metadata: { name: 'x' }, spec: { resources: { requests: { storage: '5Gi' } } } };
    expect(await admit([{ type: 'PersistentVolumeClaim', max: { storage: '2Gi' } }], claim, 'persistentvolumeclaims')).toBe(
      'maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi',
    );
  });
});

import { expect, test } from 'vitest';
import { podDefaults } from './pod-defaults.ts';

const applied = (type: string, value: Record<string, unknown>): Record<string, unknown> => {
  podDefaults[type]?.(value);
  return value;
};

test('an image is pulled always when its tag is latest, said or unsaid', () => {
  const policies: Record<string, string> = {
    app: 'Always',
    'app:latest': 'Always',
    'app:1.0': 'IfNotPresent',
    'registry:5000/app': 'Always',
    'registry:5000/app:2': 'IfNotPresent',
    'app@sha256:0': 'IfNotPresent',
    'app:latest@sha256:0': 'Always',
    '': 'IfNotPresent',
  };
  for (const [image, policy] of Object.entries(policies))
    expect([image, applied('core.v1.Container', { image }).imagePullPolicy]).toEqual([image, policy]);
});

test('a pod asks for what it is limited to, a template does not', () => {
  const spec = { containers: [{ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }] };
  expect(applied('core.v1.Pod', { spec: structuredClone(spec) })).toMatchObject({
    spec: { containers: [{ resources: { requests: { cpu: '500m', memory: '1Gi' } } }] },
  });
  expect(applied('core.v1.PodSpec', structuredClone(spec))).toMatchObject(spec);
});

test('pod-level requests are the sum of the containers’, or the limit', () => {
  const spec = {
    resources: { limits: { cpu: '4', memory: '1Gi' } },
    containers: [{ resources: { requests: { cpu: '1' } } }, { resources: { requests: { cpu: '500m' } } }],
    initContainers: [{ resources: { requests: { cpu: '2' } } }, { restartPolicy: 'Always', resources: { requests: { cpu: '100m' } } }],
  };
  expect(applied('core.v1.Pod', { spec })).toMatchObject({ spec: { resources: { requests: { cpu: '2', memory: '1Gi' } } } });
});

test('on the host’s network a container’s ports are the host’s, in pods but not in templates', () => {
  const spec = () => ({ hostNetwork: true, containers: [{ ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 8081 }] }] });
  expect(applied('core.v1.Pod', { spec: spec() })).toMatchObject({
    spec: { containers: [{ ports: [{ hostPort: 80 }, { hostPort: 8081 }] }] },
  });
  expect(applied('core.v1.PodSpec', spec())).toMatchObject({
    containers: [{ ports: [{ containerPort: 80 }, { hostPort: 8081 }] }],
  });
  expect(applied('core.v1.PodSpec', spec()).containers).not.toMatchObject([{ ports: [{ hostPort: 80 }] }]);
});

test('one address and the list of addresses agree, the single one counting', () => {
  expect(applied('core.v1.PodStatus', { podIP: '10.0.0.1' })).toEqual({ podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] });
  expect(applied('core.v1.PodStatus', { podIPs: [{ ip: '10.0.0.2' }] })).toMatchObject({ podIP: '10.0.0.2' });
  expect(applied('core.v1.PodStatus', { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.2' }] })).toEqual({
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }],
  });
});

test('a pod without containers yet gets its defaults all the same', () => {
  expect(applied('core.v1.Pod', { spec: { containers: null } })).toMatchObject({ spec: { enableServiceLinks: true } });
  expect(applied('core.v1.PodSpec', { containers: null, hostNetwork: true })).toMatchObject({ restartPolicy: 'Always' });
});

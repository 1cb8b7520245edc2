import type { EndpointSlice, Endpoints, Node, Pod, Service } from '@kubernel/sdk/api';
import { ENDPOINT_SLICES, ENDPOINTS, NODES, PODS, SERVICES } from '@kubernel/sdk/client';
import { FakeApi, type FakeContext, fakeContext } from '@kubernel/sdk/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import plugins from './index.ts';

let api: FakeApi;
let contexts: FakeContext<Record<string, unknown>>[] = [];
let lastChange = 0;

beforeEach(async () => {
  api = new FakeApi();
  api.onChange = () => {
    lastChange = performance.now();
  };
  for (const { name, hooks } of plugins) {
    const ctx = fakeContext<Record<string, unknown>>(api, { id: `controller/${name}` });
    contexts.push(ctx);
    await hooks.start(ctx as never);
  }
  await quiet();
});
afterEach(async () => {
  for (const ctx of contexts) {
    expect(ctx.logged).toEqual([]);
    await ctx.dispose();
  }
  contexts = [];
});

async function quiet(ms = 12): Promise<void> {
  lastChange = performance.now();
  while (performance.now() - lastChange < ms) await new Promise((resolve) => setTimeout(resolve, 5));
}

function service(change: Partial<Service['spec']> = {}, name = 'web'): Service {
  return api.put<Service>(SERVICES, {
    metadata: { name, namespace: 'x', labels: { team: 'red' } },
    spec: {
      selector: { app: 'web' },
      clusterIP: '10.96.0.9',
      ipFamilies: ['IPv4'],
      ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
      ...change,
    },
  });
}

function pod(
  index: number,
  options: { ready?: boolean; labels?: Record<string, string>; spec?: Partial<Pod['spec']>; phase?: 'Running' | 'Succeeded' } = {},
): Pod {
  const { ready = true, labels = { app: 'web' }, spec = {}, phase = 'Running' } = options;
  return api.put<Pod>(PODS, {
    metadata: { name: `p${index}`, namespace: 'x', labels },
    spec: { containers: [], nodeName: 'n1', ...spec },
    status: {
      phase,
      podIP: `10.244.${index >> 8}.${index & 255}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  });
}

const slices = (): EndpointSlice[] => api.all<EndpointSlice>(ENDPOINT_SLICES);
const endpointsOf = (name = 'web'): Endpoints | undefined => api.get<Endpoints>(ENDPOINTS, `x/${name}`);
const writes = (what: string): string[] =>
  api.requests.filter((request) => !request.startsWith('GET') && request.includes(what)).map((request) => request.split(' ')[0] as string);

test('a service has a slice and endpoints with its pods, their nodes and zones', async () => {
  api.put<Node>(NODES, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } });
  const { metadata } = pod(1);
  pod(2, { labels: { app: 'other' } });
  pod(3, { phase: 'Succeeded' });
  service();
  await quiet();
  expect(slices()).toHaveLength(1);
  expect(slices()[0]).toMatchObject({
    metadata: {
      name: expect.stringMatching(/^web-\w{5}$/),
      labels: {
        team: 'red',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', controller: true, blockOwnerDeletion: true }],
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.244.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: 'Pod', namespace: 'x', name: 'p1', uid: metadata.uid },
        nodeName: 'n1',
        zone: 'z1',
      },
    ],
  });
  expect(slices()[0]?.metadata.labels).not.toHaveProperty('service.kubernetes.io/headless');
  expect(endpointsOf()).toMatchObject({
    metadata: { labels: { team: 'red', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
    subsets: [
      {
        addresses: [{ ip: '10.244.0.1', nodeName: 'n1', targetRef: { name: 'p1' } }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ],
  });
});

test('readiness, termination and readdressing of a pod show at once', async () => {
  service();
  const first = pod(1, { ready: false });
  await quiet();
  expect(slices()[0]?.endpoints?.[0]?.conditions).toEqual({ ready: false, serving: false, terminating: false });
  expect(endpointsOf()?.subsets?.[0]).toMatchObject({ notReadyAddresses: [{ ip: '10.244.0.1' }] });
  const running = pod(1);
  await quiet();
  expect(slices()[0]?.endpoints?.[0]?.conditions?.ready).toBe(true);
  expect(endpointsOf()?.subsets?.[0]).toMatchObject({ addresses: [{ ip: '10.244.0.1' }] });
  api.put<Pod>(PODS, { ...running, metadata: { ...running.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
  await quiet();
  expect(slices()[0]?.endpoints?.[0]?.conditions).toEqual({ ready: false, serving: true, terminating: true });
  expect(endpointsOf()?.subsets ?? []).toEqual([]);
  api.remove(PODS, `x/${first.metadata.name}`);
  await quiet();
  expect(slices()[0]?.endpoints ?? []).toEqual([]);
});

test('a change of a pod that no endpoint shows costs no request', async () => {
  service();
  const { status, ...rest } = pod(1);
  await quiet();
  const before = api.requests.length;
  api.put<Pod>(PODS, { ...rest, status: { ...status, message: 'still here', startTime: '2026-01-01T00:00:00Z' } });
  await quiet();
  expect(api.requests.length).toBe(before);
});

test('250 pods make slices of at most 100, and one pod less changes one slice', async () => {
  for (let i = 1; i <= 250; i++) pod(i);
  service();
  await quiet();
  expect(
    slices()
      .map(({ endpoints }) => endpoints?.length)
      .sort(),
  ).toEqual([100, 100, 50]);
  api.requests.length = 0;
  api.remove(PODS, 'x/p7');
  await quiet();
  expect(writes('endpointslices')).toEqual(['PUT']);
  pod(7);
  pod(300);
  await quiet();
  expect(slices().flatMap(({ endpoints }) => endpoints ?? [])).toHaveLength(251);
  expect(slices()).toHaveLength(3);
});

test('a pod behind a port of another number stands in a slice of its own', async () => {
  service({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] });
  const named = (containerPort: number): Partial<Pod['spec']> => ({ containers: [{ name: 'c', ports: [{ name: 'web', containerPort }] }] });
  pod(1, { spec: named(8080) });
  pod(2, { spec: named(9090) });
  pod(3);
  await quiet();
  const shown = slices().map(
    ({ ports, endpoints }) => `${ports?.map(({ port }) => port)}: ${endpoints?.map(({ targetRef }) => targetRef?.name)}`,
  );
  expect(shown.sort()).toEqual(['8080: p1', '9090: p2', ': p3']);
  expect(endpointsOf()?.subsets).toHaveLength(2);
});

test('a service without pods has one empty slice, one that is deleted has none', async () => {
  service();
  await quiet();
  expect(slices().map(({ endpoints, ports }) => [endpoints, ports])).toEqual([[[], []]]);
  expect(endpointsOf()).toBeTruthy();
  const [empty] = slices() as [EndpointSlice];
  pod(1);
  await quiet();
  expect(slices().map(({ metadata }) => metadata.name)).toEqual([empty.metadata.name]);
  api.remove(SERVICES, 'x/web');
  await quiet();
  expect(slices()).toEqual([]);
  expect(endpointsOf()).toBeUndefined();
});

test('a headless service names its pods, and publishes those not ready when it asks for it', async () => {
  service({ clusterIP: 'None', ports: [], publishNotReadyAddresses: true });
  pod(1, { ready: false, spec: { hostname: 'db-0', subdomain: 'web' } });
  await quiet();
  expect(slices()[0]).toMatchObject({ endpoints: [{ hostname: 'db-0', conditions: { ready: true, serving: false } }] });
  expect(slices()[0]?.metadata.labels?.['service.kubernetes.io/headless']).toBe('');
  expect(endpointsOf()?.subsets).toMatchObject([{ addresses: [{ ip: '10.244.0.1', hostname: 'db-0' }] }]);
});

test('traffic that should stay close gets hints', async () => {
  api.put<Node>(NODES, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } });
  service({ trafficDistribution: 'PreferClose' });
  pod(1);
  await quiet();
  expect(slices()[0]?.endpoints?.[0]?.hints).toEqual({ forZones: [{ name: 'z1' }] });
  service({ trafficDistribution: 'PreferSameNode' });
  await quiet();
  expect(slices()[0]?.endpoints?.[0]?.hints).toEqual({ forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] });
});

test('a dual-stack service has a slice for each family', async () => {
  service({ ipFamilies: ['IPv4', 'IPv6'] });
  const first = pod(1);
  api.put<Pod>(PODS, { ...first, status: { ...first.status, podIPs: [{ ip: '10.244.0.1' }, { ip: 'fd00::1' }] } });
  await quiet();
  expect(
    slices()
      .map(({ addressType, endpoints }) => `${addressType} ${endpoints?.[0]?.addresses}`)
      .sort(),
  ).toEqual(['IPv4 10.244.0.1', 'IPv6 fd00::1']);
});

test('a slice that somebody changed or removed is put right', async () => {
  service();
  pod(1);
  await quiet();
  const [slice] = slices() as [EndpointSlice];
  api.put<EndpointSlice>(ENDPOINT_SLICES, { ...slice, endpoints: [] });
  await quiet();
  expect(slices()[0]?.endpoints).toHaveLength(1);
  api.remove(ENDPOINT_SLICES, `x/${slice.metadata.name}`);
  await quiet();
  expect(slices()).toHaveLength(1);
});

test('slices are not made twice while the watch is behind', async () => {
  api.hold(ENDPOINT_SLICES);
  service();
  for (let i = 1; i < 6; i++) {
    pod(i);
    await quiet(10);
  }
  expect(slices()).toHaveLength(1);
  expect(slices()[0]?.endpoints).toHaveLength(5);
  api.release(ENDPOINT_SLICES);
  await quiet();
  expect(slices()).toHaveLength(1);
});

test('endpoints that people write are mirrored into slices, those of pods are not', async () => {
  service({ selector: undefined });
  api.put<Endpoints>(ENDPOINTS, {
    metadata: { name: 'web', namespace: 'x', labels: { own: 'yes' }, annotations: { note: 'n' } },
    subsets: [{ addresses: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports: [{ port: 80 }] }],
  });
  await quiet();
  expect(
    slices()
      .map(({ addressType }) => addressType)
      .sort(),
  ).toEqual(['IPv4', 'IPv6']);
  expect(slices().find(({ addressType }) => addressType === 'IPv4')).toMatchObject({
    metadata: {
      labels: {
        own: 'yes',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
      annotations: { note: 'n' },
      ownerReferences: [{ kind: 'Endpoints', name: 'web' }],
    },
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['192.0.2.1'], conditions: { ready: true } },
      { addresses: ['192.0.2.2'], conditions: { ready: false } },
    ],
  });
  const written = endpointsOf() as Endpoints;
  api.put<Endpoints>(ENDPOINTS, {
    ...written,
    metadata: { ...written.metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
  });
  await quiet();
  expect(slices()).toEqual([]);
});

import type { Container, Pod, Service } from '@kubernel/sdk/api';
import { describe, expect, it } from 'vitest';
import { type EnvInputs, environment, expand, serviceEnvironment } from './env.ts';

const pod = {
  metadata: { name: 'web-0', namespace: 'shop', uid: 'u', labels: { b: '2', a: '1' }, annotations: { 'x/y': 'z' } },
  spec: { nodeName: 'n1', containers: [] },
} as Pod;
const inputs = (over: Partial<EnvInputs> = {}): EnvInputs => ({
  pod,
  podIPs: ['10.1.1.1', 'fd00::1'],
  hostIPs: ['192.0.2.1'],
  allocatable: { cpu: '4', memory: '8Gi' },
  configMap: async (_, name) => (name === 'settings' ? { metadata: {}, data: { COLOR: 'blue', A: 'config' } } : undefined),
  secret: async (_, name) => (name === 'keys' ? { metadata: {}, data: { KEY: Buffer.from('s3cret').toString('base64') } } : undefined),
  services: [],
  ...over,
});
const env = async (container: Partial<Container>, over?: Partial<EnvInputs>) =>
  Object.fromEntries(await environment({ name: 'c', ...container }, inputs(over)));

describe('$(NAME) in values', () => {
  const lookup = (name: string) => ({ A: '1', B: '$(A)' })[name];
  it.each([
    ['$(A)', '1'],
    ['x$(A)y$(B)', 'x1y$(A)'],
    ['$$(A)', '$(A)'],
    ['$(UNKNOWN) $A $ $(', '$(UNKNOWN) $A $ $('],
    ['$$$(A)', '$1'],
  ])('%s becomes %s', (text, expanded) => expect(expand(text, lookup)).toBe(expanded));
});

describe("a container's environment", () => {
  it('takes envFrom first, lets env win, and refers to what stands before', async () => {
    expect(
      await env({
        envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'S_', secretRef: { name: 'keys' } }],
        env: [
          { name: 'A', value: 'own' },
          { name: 'BOTH', value: '$(A)-$(COLOR)-$(LATER)' },
          { name: 'LATER', value: 'x' },
        ],
      }),
    ).toEqual({ COLOR: 'blue', A: 'own', S_KEY: 's3cret', BOTH: 'own-blue-$(LATER)', LATER: 'x' });
  });

  it('knows the pod itself', async () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    expect(
      await env({
        env: [
          field('NAME', 'metadata.name'),
          field('IPS', 'status.podIPs'),
          field('HOST', 'status.hostIP'),
          field('L', "metadata.labels['a']"),
          field('N', "metadata.annotations['x/y']"),
        ],
      }),
    ).toEqual({ NAME: 'web-0', IPS: '10.1.1.1,fd00::1', HOST: '192.0.2.1', L: '1', N: 'z' });
  });

  it("gives resources in units of the divisor, rounded up, and the node's where there is no limit", async () => {
    const resource = (name: string, path: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource: path, divisor } },
    });
    expect(
      await env({
        resources: { limits: { cpu: '1500m' }, requests: { memory: '100Mi' } },
        env: [
          resource('CPU', 'limits.cpu'),
          resource('MILLI', 'limits.cpu', '1m'),
          resource('REQUEST', 'requests.memory', '1Mi'),
          resource('NODE', 'limits.memory', '1Gi'),
        ],
      }),
    ).toEqual({ CPU: '2', MILLI: '1500', REQUEST: '100', NODE: '8' });
  });

  it("is refused in upstream's words where something is missing, unless it is optional", async () => {
    const ref = (name: string, key: string, optional?: boolean) => [{ name: 'X', valueFrom: { configMapKeyRef: { name, key, optional } } }];
    await expect(env({ env: ref('none', 'k') })).rejects.toMatchObject({
      reason: 'CreateContainerConfigError',
      message: 'configmap "none" not found',
    });
    await expect(env({ env: ref('settings', 'k') })).rejects.toThrow("couldn't find key k in ConfigMap shop/settings");
    expect(await env({ env: ref('none', 'k', true) })).toEqual({});
    await expect(env({ envFrom: [{ secretRef: { name: 'none' } }] })).rejects.toThrow('secret "none" not found');
  });
});

describe('services in the environment', () => {
  const service = (name: string, namespace: string, clusterIP = '10.96.0.9') =>
    ({
      metadata: { name, namespace },
      spec: {
        clusterIP,
        ports: [
          { name: 'db-main', port: 6379 },
          { port: 53, protocol: 'UDP' },
        ],
      },
    }) as Service;

  it("are those of the pod's namespace, and kubernetes, without headless ones", () => {
    const found = serviceEnvironment(pod, [
      service('redis-main', 'shop'),
      service('other', 'else'),
      service('none', 'shop', 'None'),
      service('kubernetes', 'default'),
    ]);
    expect(Object.fromEntries([...found].filter(([name]) => name.startsWith('REDIS')))).toEqual({
      REDIS_MAIN_SERVICE_HOST: '10.96.0.9',
      REDIS_MAIN_SERVICE_PORT: '6379',
      REDIS_MAIN_SERVICE_PORT_DB_MAIN: '6379',
      REDIS_MAIN_PORT: 'tcp://10.96.0.9:6379',
      REDIS_MAIN_PORT_6379_TCP: 'tcp://10.96.0.9:6379',
      REDIS_MAIN_PORT_6379_TCP_PROTO: 'tcp',
      REDIS_MAIN_PORT_6379_TCP_PORT: '6379',
      REDIS_MAIN_PORT_6379_TCP_ADDR: '10.96.0.9',
      REDIS_MAIN_PORT_53_UDP: 'udp://10.96.0.9:53',
      REDIS_MAIN_PORT_53_UDP_PROTO: 'udp',
      REDIS_MAIN_PORT_53_UDP_PORT: '53',
      REDIS_MAIN_PORT_53_UDP_ADDR: '10.96.0.9',
    });
    expect(found.has('KUBERNETES_SERVICE_HOST')).toBe(true);
    expect(found.has('OTHER_SERVICE_HOST') || found.has('NONE_SERVICE_HOST')).toBe(false);
    const unlinked = { ...pod, spec: { ...pod.spec, enableServiceLinks: false } };
    expect(
      [...serviceEnvironment(unlinked, [service('redis', 'shop'), service('kubernetes', 'default')]).keys()].every((name) =>
        name.startsWith('KUBERNETES'),
      ),
    ).toBe(true);
  });
});

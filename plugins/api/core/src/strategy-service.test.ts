import type { ApiReader, StrategyContext } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { beforeEach, expect, it } from 'vitest';
import { serviceStrategy } from './strategy-service.ts';

let context: StrategyContext;

beforeEach(() => {
  const reader = {
    get: () => undefined,
    list: () => [],
    onChange: () => () => {},
    cluster: { serviceCIDRs: ['10.0.0.0/29'], nodePortRange: [30000, 30001] },
  } as unknown as ApiReader;
  const validation = { validate() {}, options: new Map() } as unknown as StrategyContext['validation'];
  context = { user: { name: 'a', groups: [] }, namespace: 'n', dryRun: false, reader, validation, warn() {} };
});

let uid = 0;
const service = (spec: object): KubeObject => ({
  metadata: { name: `s${++uid}`, namespace: 'n', uid: String(uid) },
  spec: {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    ...spec,
  },
});

async function create(spec: object): Promise<Record<string, unknown>> {
  const object = service(spec);
  await serviceStrategy.prepareForCreate?.(object, context);
  return object.spec as Record<string, unknown>;
}

it('gives services addresses of the range, each once', async () => {
  const addresses = new Set<unknown>();
  for (let i = 0; i < 6; i++) addresses.add((await create({})).clusterIP);
  expect(addresses.size).toBe(6);
  await expect(create({})).rejects.toThrow();
});

it('takes the address that is asked for, once', async () => {
  expect(await create({ clusterIP: '10.0.0.3' })).toMatchObject({ clusterIP: '10.0.0.3', clusterIPs: ['10.0.0.3'], ipFamilies: ['IPv4'] });
  await expect(create({ clusterIP: '10.0.0.3' })).rejects.toThrow('provided IP is already allocated');
  await expect(create({ clusterIP: '10.1.0.3' })).rejects.toThrow('not in the valid range');
});

it('gives node ports and none where there are none left', async () => {
  const ports = [(await create({ type: 'NodePort' })).ports, (await create({ type: 'NodePort' })).ports] as { nodePort: number }[][];
  expect(ports.map((list) => list[0]?.nodePort).sort()).toEqual([30000, 30001]);
  await expect(create({ type: 'NodePort' })).rejects.toThrow();
});

it('leaves headless services and names without an address', async () => {
  expect((await create({ clusterIP: 'None' })).clusterIP).toBe('None');
  expect((await create({ type: 'ExternalName', externalName: 'a.b' })).clusterIP).toBeUndefined();
});

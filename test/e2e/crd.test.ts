import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, TestCluster } from './cluster.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start('golden.yaml');
});

afterAll(async () => {
  await cluster?.stop();
});

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group: 'stable.example.com',
    scope: 'Namespaced',
    names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], categories: ['schedules'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
        additionalPrinterColumns: [
          { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
        ],
        selectableFields: [{ jsonPath: '.spec.cronSpec' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                description: 'What is to be done, and when.',
                required: ['cronSpec'],
                properties: {
                  cronSpec: { type: 'string', description: 'When, as cron writes it.', pattern: '^(\\S+ ){4}\\S+$' },
                  replicas: { type: 'integer', minimum: 0, maximum: 10, default: 1 },
                  image: { type: 'string' },
                },
              },
              status: { type: 'object', properties: { replicas: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
};

const crontab = (name: string, spec: object) => ({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, spec });

interface CronTab {
  metadata: { generation: number };
  spec: { cronSpec: string; replicas: number; image?: string };
  status?: { replicas?: number };
}

const get = (name: string): CronTab => JSON.parse(cluster.k('get', 'crontab', name, '-o', 'json')) as CronTab;

describe('custom resources with kubectl', () => {
  it('serves a definition as soon as it is established', () => {
    expect(cluster.apply(CRD)).toContain('customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created');
    cluster.k('wait', '--for=condition=Established', 'crd/crontabs.stable.example.com', '--timeout=10s');
    expect(cluster.k('api-resources', '--api-group=stable.example.com')).toMatch(/crontabs\s+ct\s+stable.example.com\/v1\s+true\s+CronTab/);
  });

  it('creates, defaults and shows objects in the columns of their definition', () => {
    expect(cluster.apply(crontab('every', { cronSpec: '* * * * */5', image: 'cron' }))).toContain(
      'crontab.stable.example.com/every created',
    );
    expect(get('every').spec.replicas).toBe(1);
    expect(cluster.k('get', 'ct')).toMatch(/NAME\s+SPEC\s+REPLICAS\nevery\s+\* \* \* \* \*\/5\s+1\n/);
    expect(cluster.k('get', 'schedules', '-o', 'name')).toBe('crontab.stable.example.com/every\n');
    expect(cluster.k('get', 'ct', '--field-selector=spec.cronSpec=none', '-o', 'name')).toBe('');
  });

  it('explains fields by the descriptions of the schema', () => {
    expect(cluster.k('explain', 'crontab.spec.cronSpec')).toContain('When, as cron writes it.');
    expect(cluster.k('explain', 'crontab', '--recursive')).toMatch(/replicas\s+<integer>/);
  });

  it('refuses what the schema does not allow, and unknown fields of careful clients', () => {
    expect(() => cluster.apply(crontab('bad', { cronSpec: 'never' }))).toThrow(/spec.cronSpec in body should match/);
    expect(() => cluster.apply(crontab('bad', { cronSpec: '* * * * *', replicas: 11 }))).toThrow(/should be less than or equal to 10/);
    expect(() => cluster.apply(crontab('bad', { cronSpec: '* * * * *', typo: 1 }))).toThrow(/unknown field "spec.typo"/);
  });

  it('patches and applies, and counts generations', () => {
    cluster.k('patch', 'ct', 'every', '--type=merge', '-p', '{"spec":{"image":"cron:2"}}');
    expect(get('every')).toMatchObject({ metadata: { generation: 2 }, spec: { image: 'cron:2' } });
    cluster.apply(crontab('every', { cronSpec: '0 * * * *', image: 'cron:3' }));
    expect(get('every').spec).toEqual({ cronSpec: '0 * * * *', image: 'cron:3', replicas: 1 });
    cluster.apply(crontab('every', { cronSpec: '1 * * * *' }), '--server-side', '--force-conflicts', '--field-manager=me');
    expect(get('every').spec.cronSpec).toBe('1 * * * *');
  });

  it('scales by the paths of the definition', () => {
    cluster.k('scale', 'ct/every', '--replicas=3');
    expect(get('every').spec.replicas).toBe(3);
    cluster.k('patch', 'ct', 'every', '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":3},"spec":{"replicas":9}}');
    expect(get('every')).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3 } });
  });

  it('takes a changed schema at once, also for objects of before', () => {
    const changed = structuredClone(CRD);
    const { properties } = (changed.spec.versions[0] as (typeof changed.spec.versions)[0]).schema.openAPIV3Schema as {
      properties: { spec: { properties: Record<string, object> } };
    };
    properties.spec.properties = { ...properties.spec.properties, zone: { type: 'string', default: 'utc' } };
    cluster.apply(changed);
    expect((get('every').spec as { zone?: string }).zone).toBe('utc');
  });

  it('serves the same after a restart', async () => {
    await cluster.kill('SIGTERM');
    await cluster.up();
    expect(get('every').spec.replicas).toBe(3);
  });

  it('removes the objects of a definition before the definition', async () => {
    cluster.k('delete', 'crd', 'crontabs.stable.example.com', '--timeout=20s');
    expect(cluster.kubectl('get', 'ct').stderr).toMatch(/the server doesn't have a resource type|could not find the requested resource/);
    cluster.apply(CRD);
    await eventually(() => cluster.kubectl('get', 'ct').stderr.includes('No resources found'), 10_000);
  });
});

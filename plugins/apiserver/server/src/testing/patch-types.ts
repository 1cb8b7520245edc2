import type { TypeTable } from '@kubernel/sdk';
import type { Types } from '../patch/types.ts';
import type { Resource } from '../registry.ts';
import { expandType } from '../schema/expand.ts';

/** A kind with one field of each sort that patch and apply tell apart. */
const TABLE: TypeTable = {
  'test.v1.Thing': {
    kind: ['string', 0, 'e'],
    apiVersion: ['string', 0, 'e'],
    metadata: ['test.v1.Meta', 1, 'e'],
    data: ['{}string', 2, 'e'],
    spec: ['test.v1.Spec', 3, 'e'],
    status: ['test.v1.Status', 4, 'e'],
  },
  'test.v1.Meta': {
    name: ['string', 1, 'e'],
    namespace: ['string', 2, 'e'],
    uid: ['string', 3, 'e'],
    labels: ['{}string', 4, 'e'],
    annotations: ['{}string', 5, 'e'],
    finalizers: ['[]string', 6, 'e', { listType: 'set', patch: ['merge'] }],
    managedFields: ['[]test.v1.Entry', 7, 'e', { listType: 'atomic' }],
  },
  'test.v1.Entry': {},
  'test.v1.Spec': {
    replicas: ['int32', 1, 'ep'],
    containers: ['[]test.v1.Container', 2, '', { listType: 'map', keys: ['name'], patch: ['merge'], mergeKey: 'name' }],
    args: ['[]string', 3, 'e', { listType: 'atomic' }],
    selector: ['{}string', 4, 'e', { mapType: 'atomic' }],
    strategy: ['test.v1.Strategy', 5, 'e', { patch: ['retainKeys'] }],
  },
  'test.v1.Strategy': { type: ['string', 1, 'e'], rolling: ['test.v1.Rolling', 2, 'ep'] },
  'test.v1.Rolling': { surge: ['intorstring', 1, 'ep'] },
  'test.v1.Container': {
    name: ['string', 1, ''],
    image: ['string', 2, 'e'],
    env: ['[]test.v1.Env', 3, 'e', { listType: 'map', keys: ['name'], patch: ['merge'], mergeKey: 'name' }],
    ports: ['[]test.v1.Port', 4, 'e', { listType: 'map', keys: ['port', 'protocol'], patch: ['merge'], mergeKey: 'port' }],
    resources: ['test.v1.Resources', 5, 'e'],
  },
  'test.v1.Resources': { limits: ['{}quantity', 1, 'e'] },
  'test.v1.Env': { name: ['string', 1, ''], value: ['string', 2, 'e'] },
  'test.v1.Port': { name: ['string', 1, 'e'], port: ['int32', 2, ''], protocol: ['string', 3, 'e', { default: 'TCP' }] },
  'test.v1.Status': { phase: ['string', 1, 'e'] },
};

const schemas = new Map(Object.entries(TABLE).map(([name, fields]) => [name, expandType(name, fields)]));

export const patchTypes: Types = {
  has: (name) => schemas.has(name),
  schema: (name) => {
    const schema = schemas.get(name);
    if (!schema) throw new Error(`no such type: ${name}`);
    return schema;
  },
};

export const thingResource = {
  group: '',
  version: 'v1',
  apiVersion: 'v1',
  kind: 'Thing',
  plural: 'things',
  type: 'test.v1.Thing',
  strategy: {},
  subresources: { status: { type: 'status' } },
} as unknown as Resource;

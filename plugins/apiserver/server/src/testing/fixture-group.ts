import type { ApiGroup, ResourceDefinition, Verb } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

const ALL: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const KIND = { kind: ['string', 0, 'e'], apiVersion: ['string', 0, 'e'] } as const;

const TYPES = {
  'core.v1.ConfigMap': {
    ...KIND,
    metadata: ['meta.v1.ObjectMeta', 1, 'e'],
    data: ['{}string', 2, 'e'],
    binaryData: ['{}bytes', 3, 'e'],
    immutable: ['bool', 4, 'ep'],
  },
  'core.v1.Namespace': {
    ...KIND,
    metadata: ['meta.v1.ObjectMeta', 1, 'e'],
    spec: ['core.v1.NamespaceSpec', 2, 'e'],
    status: ['core.v1.NamespaceStatus', 3, 'e'],
  },
  'core.v1.NamespaceSpec': { finalizers: ['[]string', 1, 'e'] },
  'core.v1.NamespaceStatus': { phase: ['string', 1, 'e'] },
  'core.v1.Widget': {
    ...KIND,
    metadata: ['meta.v1.ObjectMeta', 1, 'e'],
    spec: ['core.v1.WidgetSpec', 2, 'e'],
    status: ['core.v1.WidgetStatus', 3, 'e'],
  },
  'core.v1.WidgetSpec': { size: ['int32', 1, 'e'], color: ['string', 2, 'e'], replicas: ['int32', 3, 'ep'] },
  'core.v1.WidgetStatus': { phase: ['string', 1, 'e'], replicas: ['int32', 2, 'e'] },
} as const;

function definition(kind: string, plural: string, namespaced: boolean, more: Partial<ResourceDefinition> = {}): ResourceDefinition {
  return { group: '', version: 'v1', kind, plural, singular: kind.toLowerCase(), namespaced, verbs: ALL, type: `core.v1.${kind}`, ...more };
}

const text = (value: unknown): string => (value === undefined ? '' : String(value));

/** A few kinds, one for each thing the server has to get right: plain, cluster-scoped, with status, scale, grace and fields. */
export const fixtureGroup: ApiGroup = {
  group: '',
  versions: ['v1'],
  types: TYPES,
  resources: [
    definition('ConfigMap', 'configmaps', true, { shortNames: ['cm'] }),
    definition('Namespace', 'namespaces', false),
    definition('Widget', 'widgets', true, {
      selectableFields: {
        'spec.color': (object: KubeObject) => text((object.spec as { color?: string } | undefined)?.color),
        'status.phase': (object: KubeObject) => text((object.status as { phase?: string } | undefined)?.phase),
      },
      strategy: {
        generation: true,
        prepareForCreate(object) {
          object.status = { phase: 'New' };
        },
        prepareForUpdate(object, old) {
          object.status = old.status;
        },
        gracePeriod: (_object, requested) => requested ?? 30,
      },
      subresources: {
        status: { type: 'status' },
        scale: {
          type: 'scale',
          specReplicasPath: '.spec.replicas',
          statusReplicasPath: '.status.replicas',
          labelSelector: () => 'app=widget',
        },
      },
      table: {
        columns: [
          { name: 'Name', type: 'string', format: 'name', priority: 0 },
          { name: 'Size', type: 'integer', priority: 0 },
        ],
        cells: (object) => [object.metadata.name, (object.spec as { size?: number } | undefined)?.size ?? 0],
      },
    }),
  ],
};

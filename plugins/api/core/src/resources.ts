import type { ResourceDefinition, Subresource, Verb } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { CHANGE_VERBS, fieldLabelNotSupported, fieldTexts, labelsText, resourcesOf, statusSubresource } from '@kubernel/sdk/api';
import { strategies } from './strategy.ts';
import { subresourceActions } from './subresource-actions.ts';
import { tables } from './tables.ts';

const define = resourcesOf('', 'v1', 'core');
const core = (kind: string) => ({ group: '', version: 'v1', kind });

/** DELETE answers with the object, as it always has for these. */
const RETURNED_WHEN_DELETED: ReadonlySet<string> = new Set([
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
]);

/** A kind of this group's, with its table and strategy by plural. */
function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  const returned = RETURNED_WHEN_DELETED.has(plural);
  return define({
    kind,
    plural,
    namespaced: true,
    table: tables[plural],
    ...((strategy || returned) && { strategy: { ...strategy, ...(returned && { returnDeletedObject: true }) } }),
    ...rest,
  });
}

const PROXY_VERBS: readonly Verb[] = ['create', 'delete', 'get', 'patch', 'update'];
const PROXY_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];

function proxy(kind: string): Subresource {
  return { type: 'connect', verbs: PROXY_VERBS, kind: core(kind), methods: PROXY_METHODS, connect: 'proxy' };
}

function stream(kind: string, connect: 'exec' | 'attach' | 'portforward'): Subresource {
  return { type: 'connect', verbs: ['create', 'get'], kind: core(kind), methods: ['GET', 'POST'], connect };
}

/** An update of the pod itself through another endpoint. */
function update(plural: string, kind: string, verbs: readonly Verb[] = CHANGE_VERBS): Subresource {
  return { type: 'update', strategy: strategies[plural] ?? {}, verbs, kind: { ...core(kind), type: `core.v1.${kind}` } };
}

export const resources: readonly ResourceDefinition[] = [
  define({
    kind: 'Binding',
    plural: 'bindings',
    namespaced: true,
    verbs: ['create'],
    virtual: { delegate: { resource: 'pods', subresource: 'binding' } },
  }),
  stored('ComponentStatus', 'componentstatuses', {
    deprecated: 'v1 ComponentStatus is deprecated in v1.19+',
    namespaced: false,
    verbs: ['get', 'list'],
    shortNames: ['cs'],
    virtual: { list: () => [], get: () => undefined },
  }),
  stored('ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  stored('Endpoints', 'endpoints', {
    deprecated: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
    shortNames: ['ep'],
    singular: 'endpoints',
    listKind: 'EndpointsList',
  }),
  stored('Event', 'events', {
    shortNames: ['ev'],
    ttlSeconds: 3600,
    selectableFields: {
      ...fieldTexts(
        'involvedObject.kind',
        'involvedObject.namespace',
        'involvedObject.name',
        'involvedObject.uid',
        'involvedObject.apiVersion',
        'involvedObject.resourceVersion',
        'involvedObject.fieldPath',
        'reason',
        'reportingComponent',
        'type',
      ),
      source: (event) =>
        (event.source as { component?: string } | undefined)?.component || ((event.reportingComponent as string | undefined) ?? ''),
    },
    unknownField: fieldLabelNotSupported,
  }),
  stored('LimitRange', 'limitranges', { shortNames: ['limits'] }),
  stored('Namespace', 'namespaces', {
    namespaced: false,
    shortNames: ['ns'],
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    selectableFields: fieldTexts('status.phase'),
    unknownField: fieldLabelNotSupported,
    subresources: {
      finalize: update('namespaces/finalize', 'Namespace', ['update']),
      status: statusSubresource(strategies['namespaces/status']),
    },
  }),
  stored('Node', 'nodes', {
    namespaced: false,
    shortNames: ['no'],
    selectableFields: {
      'spec.unschedulable': (node) => String((node.spec as { unschedulable?: boolean } | undefined)?.unschedulable ?? false),
    },
    unknownField: fieldLabelNotSupported,
    subresources: { proxy: proxy('NodeProxyOptions'), status: statusSubresource(strategies['nodes/status']) },
  }),
  stored('PersistentVolumeClaim', 'persistentvolumeclaims', {
    shortNames: ['pvc'],
    subresources: { status: statusSubresource(strategies['persistentvolumeclaims/status']) },
  }),
  stored('PersistentVolume', 'persistentvolumes', {
    namespaced: false,
    shortNames: ['pv'],
    subresources: { status: statusSubresource(strategies['persistentvolumes/status']) },
  }),
  stored('Pod', 'pods', {
    shortNames: ['po'],
    categories: ['all'],
    selectableFields: {
      ...fieldTexts(
        'spec.nodeName',
        'spec.restartPolicy',
        'spec.schedulerName',
        'spec.serviceAccountName',
        'status.phase',
        'status.nominatedNodeName',
      ),
      'spec.hostNetwork': (pod) => String((pod.spec as { hostNetwork?: boolean } | undefined)?.hostNetwork ?? false),
      'status.podIP': (pod) => podAddresses(pod)[0] ?? '',
      'status.podIPs': (pod) => podAddresses(pod).join(','),
    },
    unknownField: fieldLabelNotSupported,
    subresources: {
      attach: stream('PodAttachOptions', 'attach'),
      binding: {
        type: 'action',
        verbs: ['create'],
        kind: { ...core('Binding'), type: 'core.v1.Binding' },
        run: subresourceActions.bindPod,
      },
      ephemeralcontainers: update('pods/ephemeralcontainers', 'Pod'),
      eviction: {
        type: 'action',
        verbs: ['create'],
        kind: { group: 'policy', version: 'v1', kind: 'Eviction', type: 'policy.v1.Eviction' },
        run: subresourceActions.evict,
      },
      exec: stream('PodExecOptions', 'exec'),
      log: { type: 'connect', verbs: ['get'], kind: core('Pod'), methods: ['GET'], connect: 'log' },
      portforward: stream('PodPortForwardOptions', 'portforward'),
      proxy: proxy('PodProxyOptions'),
      resize: update('pods/resize', 'Pod'),
      status: statusSubresource(strategies['pods/status']),
    },
  }),
  stored('PodTemplate', 'podtemplates'),
  stored('ReplicationController', 'replicationcontrollers', {
    shortNames: ['rc'],
    categories: ['all'],
    selectableFields: { 'status.replicas': (rc) => String((rc.status as { replicas?: number } | undefined)?.replicas ?? 0) },
    unknownField: fieldLabelNotSupported,
    subresources: {
      scale: {
        type: 'scale',
        specReplicasPath: 'spec.replicas',
        statusReplicasPath: 'status.replicas',
        labelSelector: ({ spec }) => {
          const text = labelsText((spec as { selector?: Record<string, string> }).selector);
          return text === '<none>' ? '' : text;
        },
      },
      status: statusSubresource(strategies['replicationcontrollers/status']),
    },
  }),
  stored('ResourceQuota', 'resourcequotas', {
    shortNames: ['quota'],
    subresources: { status: statusSubresource(strategies['resourcequotas/status']) },
  }),
  stored('Secret', 'secrets', { selectableFields: fieldTexts('type'), unknownField: fieldLabelNotSupported }),
  stored('ServiceAccount', 'serviceaccounts', {
    shortNames: ['sa'],
    subresources: {
      token: {
        type: 'action',
        verbs: ['create'],
        kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', type: 'authentication.v1.TokenRequest' },
        run: subresourceActions.requestToken,
      },
    },
  }),
  stored('Service', 'services', {
    shortNames: ['svc'],
    categories: ['all'],
    selectableFields: fieldTexts('spec.clusterIP', 'spec.type'),
    unknownField: fieldLabelNotSupported,
    subresources: { proxy: proxy('ServiceProxyOptions'), status: statusSubresource(strategies['services/status']) },
  }),
];

function podAddresses(pod: KubeObject): string[] {
  return ((pod.status as { podIPs?: { ip: string }[] } | undefined)?.podIPs ?? []).map(({ ip }) => ip);
}

import {
  type ApiService,
  type Authorizer,
  type BootstrapObject,
  type ClusterSettings,
  KubernelError,
  type Logger,
  type Status,
} from '@kubernel/sdk';
import { type KubeObject, semanticEqual } from '@kubernel/sdk/api';
import type { Api } from '../api.ts';
import type { Resource } from '../registry.ts';
import { flowSchemas, priorityLevels } from './flow-control.ts';

export interface BootstrapSettings {
  cluster: ClusterSettings;
  authorizers: Iterable<{ instance: Authorizer }>;
  /** Port of this server, undefined without HTTPS. */
  port: number | undefined;
  /** Address at which pods reach this server; undefined: none is known, and the `kubernetes` service has no endpoint. */
  address: string | undefined;
  /** PEM, for extension API servers: whom to believe. */
  clientCa: string | undefined;
  frontProxyCa: string | undefined;
  log: Logger;
}

/**
 * What every cluster has from its first second: namespaces, default roles, priorities, the `kubernetes` service. Creates
 * what is missing, in parallel within each step; a cluster that has it all costs no write. Returns what could not be
 * made: a cluster that lacks a default object is better than none, but says so in its readiness.
 */
export async function bootstrap(api: Api, service: ApiService, settings: BootstrapSettings): Promise<string[]> {
  const failures: string[] = [];
  const noting = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      failures.push(message);
      settings.log.error('a default object could not be made', { error: message });
    }
  };
  const ensure: Ensure = (group, resource, object, reconcile) => noting(ensureObject(api, service, { group, resource, object }, reconcile));
  await Promise.all(
    ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ensure('', 'namespaces', { metadata: { name } })),
  );
  const objects: Promise<void>[] = [];
  for (const { instance } of settings.authorizers) {
    for (const wanted of instance.bootstrap?.() ?? []) objects.push(noting(ensureObject(api, service, wanted, wanted.reconcile)));
  }
  for (const level of priorityLevels) objects.push(ensure('flowcontrol.apiserver.k8s.io', 'prioritylevelconfigurations', level));
  for (const schema of flowSchemas) objects.push(ensure('flowcontrol.apiserver.k8s.io', 'flowschemas', schema));
  for (const priority of PRIORITIES) objects.push(ensure('scheduling.k8s.io', 'priorityclasses', priority));
  for (const apiService of apiServices(api)) objects.push(ensure('apiregistration.k8s.io', 'apiservices', apiService));
  objects.push(
    ensure('networking.k8s.io', 'servicecidrs', { metadata: { name: 'kubernetes' }, spec: { cidrs: settings.cluster.serviceCIDRs } }),
  );
  if (settings.clientCa) objects.push(ensure('', 'configmaps', authenticationConfig(settings.clientCa, settings.frontProxyCa)));
  await Promise.all(objects);
  if (settings.port !== undefined) await kubernetesService(ensure, settings, settings.port);
  return failures;
}

const PRIORITIES: readonly KubeObject[] = [
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
];

type Ensure = (group: string, resource: string, object: KubeObject, reconcile?: BootstrapObject['reconcile']) => Promise<void>;

/** `kubernetes.default`, at the first address of the service range, as every client in a pod expects it. */
async function kubernetesService(ensure: Ensure, { cluster, address }: BootstrapSettings, port: number): Promise<void> {
  const [cidr = ''] = cluster.serviceCIDRs;
  const metadata = { name: 'kubernetes', namespace: 'default' };
  await ensure('', 'services', {
    metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: firstAddress(cidr),
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
      sessionAffinity: 'None',
      ipFamilyPolicy: 'SingleStack',
    },
  });
  if (!address) return;
  const ports = [{ name: 'https', port, protocol: 'TCP' }];
  const subsets = [{ addresses: [{ ip: address }], ports }];
  await ensure(
    '',
    'endpoints',
    { metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }, subsets },
    follow({ subsets }),
  );
  const endpoints = [{ addresses: [address], conditions: { ready: true } }];
  await ensure(
    'discovery.k8s.io',
    'endpointslices',
    {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: address.includes(':') ? 'IPv6' : 'IPv4',
      endpoints,
      ports,
    },
    follow({ endpoints, ports }),
  );
}

/** A server that comes back elsewhere writes its new address over the old one. */
function follow(fields: Record<string, unknown>): BootstrapObject['reconcile'] {
  return (existing) => {
    const same = Object.entries(fields).every(([name, value]) => semanticEqual(existing[name], value));
    return same ? undefined : { object: { ...existing, ...fields } };
  };
}

/** `10.96.0.0/16` -> `10.96.0.1`. */
export function firstAddress(cidr: string): string | undefined {
  const parts = (cidr.split('/')[0] ?? '').split('.').map(Number);
  if (parts.length !== 4) return undefined;
  parts[3] = (parts[3] as number) + 1;
  return parts.join('.');
}

/** An APIService for each group and version served here. */
function apiServices(api: Api): KubeObject[] {
  return api.registry.groups.flatMap(({ group, versions, priority }) =>
    versions.map((version, index) => ({
      metadata: { name: `${version}.${group}`, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: {
        ...(group ? { group } : {}),
        version,
        groupPriorityMinimum: group ? (priority ?? 1000) : 18_000,
        versionPriority: group ? 15 * (versions.length - index) : 1,
      },
      status: {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
            reason: 'Local',
            message: 'Local APIServices are always available',
          },
        ],
      },
    })),
  );
}

function authenticationConfig(clientCa: string, frontProxyCa: string | undefined): KubeObject {
  return {
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': clientCa,
      ...(frontProxyCa ? { 'requestheader-client-ca-file': frontProxyCa } : {}),
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    },
  };
}

interface Wanted {
  group: string;
  resource: string;
  object: KubeObject;
}

async function ensureObject(api: Api, service: ApiService, wanted: Wanted, reconcile?: BootstrapObject['reconcile']): Promise<void> {
  const resource = api.registry.any(wanted.group, wanted.resource);
  // A composed cluster need not have every group.
  if (!resource) return;
  const { name = '', namespace = '' } = wanted.object.metadata;
  const existing = api.reader.get(wanted.group, wanted.resource, resource.namespaced ? namespace : '', name);
  const collection = pathOf(resource, namespace);
  if (!existing) {
    await write(service, 'POST', collection, { apiVersion: resource.apiVersion, kind: resource.kind, ...wanted.object }, [409]);
    return;
  }
  const change = reconcile?.(existing);
  if (!change) return;
  if (change.recreate) {
    await write(service, 'DELETE', `${collection}/${name}`, undefined, [404]);
    await write(service, 'POST', collection, change.object, [409]);
  } else {
    await write(service, 'PUT', `${collection}/${name}`, change.object, [409]);
  }
}

function pathOf({ group, apiVersion, namespaced, plural }: Resource, namespace: string): string {
  return `${group ? '/apis' : '/api'}/${apiVersion}${namespaced ? `/namespaces/${namespace}` : ''}/${plural}`;
}

async function write(
  service: ApiService,
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  object: KubeObject | undefined,
  fine: readonly number[],
): Promise<void> {
  const manager = method === 'DELETE' ? '' : '?fieldManager=kube-apiserver';
  const response = await service.request({ method, path: path + manager, ...(object ? { body: JSON.stringify(object) } : {}) });
  if (response.code < 300 || fine.includes(response.code)) return;
  throw new KubernelError('ERR_BOOTSTRAP', `${method} ${path}: ${(JSON.parse(response.body) as Status).message}`, {
    subject: 'apiserver/server',
    hint: 'an object every cluster needs could not be written; the message says why',
  });
}

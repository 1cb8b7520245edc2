import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import {
  accessModesText,
  age,
  ageColumn,
  containerCells,
  createdAtColumn,
  firstOf,
  labelsText,
  nameCell,
  nameColumn,
  table,
} from '@kubernel/sdk/api';
import { podTable } from './pod-table.ts';

interface PortSpec {
  port?: number;
  nodePort?: number;
  protocol?: string;
}

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  componentstatuses: table(
    nameColumn,
    ['Status', ({ conditions }) => (healthy(conditions)?.status === 'True' ? 'Healthy' : healthy(conditions) ? 'Unhealthy' : 'Unknown')],
    ['Message', ({ conditions }) => healthy(conditions)?.message ?? ''],
    ['Error', ({ conditions }) => healthy(conditions)?.error ?? ''],
  ),
  configmaps: table(
    nameColumn,
    ['Data', ({ data, binaryData }) => countOf(data) + countOf(binaryData), 'core.v1.ConfigMap.data'],
    ageColumn,
  ),
  endpoints: table(nameColumn, ['Endpoints', ({ subsets }) => endpointsText(subsets), 'core.v1.Endpoints.subsets'], ageColumn),
  events: table(
    ['Last Seen', (event, now) => lastSeen(event, now)],
    ['Type', ({ type }) => type ?? ''],
    ['Reason', ({ reason }) => reason ?? ''],
    ['Object', ({ involvedObject }) => objectText(involvedObject)],
    ['+Subobject', ({ involvedObject }) => involvedObject?.fieldPath ?? ''],
    ['+Source', (event) => sourceText(event)],
    ['Message', ({ message }) => (message ?? '').trim()],
    ['+First Seen', (event, now) => firstSeen(event, now)],
    ['+Count', ({ series, count }) => series?.count ?? (count || 1)],
    ['+Name', 'name', nameCell],
  ),
  limitranges: table(nameColumn, createdAtColumn),
  namespaces: table(nameColumn, ['Status', ({ status }) => status?.phase ?? ''], ageColumn),
  nodes: table(
    nameColumn,
    ['Status', (node) => nodeStatus(node)],
    ['Roles', ({ metadata }) => nodeRoles(metadata.labels)],
    ageColumn,
    ['Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? '', 'core.v1.NodeSystemInfo.kubeletVersion'],
    ['+Internal-IP', ({ status }) => addressOf(status, 'InternalIP'), 'core.v1.NodeStatus.addresses'],
    ['+External-IP', ({ status }) => addressOf(status, 'ExternalIP'), 'core.v1.NodeStatus.addresses'],
    ['+OS-Image', ({ status }) => status?.nodeInfo?.osImage || '<unknown>', 'core.v1.NodeSystemInfo.osImage'],
    ['+Kernel-Version', ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>', 'core.v1.NodeSystemInfo.kernelVersion'],
    [
      '+Container-Runtime',
      ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
      'core.v1.NodeSystemInfo.containerRuntimeVersion',
    ],
  ),
  persistentvolumeclaims: table(
    nameColumn,
    [
      'Status',
      ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
      'core.v1.PersistentVolumeClaimStatus.phase',
    ],
    ['Volume', ({ spec }) => spec.volumeName ?? '', 'core.v1.PersistentVolumeClaimSpec.volumeName'],
    [
      'Capacity',
      ({ spec, status }) => (spec.volumeName ? (status?.capacity?.storage ?? '0') : ''),
      'core.v1.PersistentVolumeClaimStatus.capacity',
    ],
    [
      'Access Modes',
      ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ''),
      'core.v1.PersistentVolumeClaimStatus.accessModes',
    ],
    [
      'StorageClass',
      ({ metadata, spec }) => metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '',
      'core.v1.PersistentVolumeClaimSpec.storageClassName',
    ],
    [
      'VolumeAttributesClass',
      ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
      'core.v1.PersistentVolumeClaimSpec.volumeAttributesClassName',
    ],
    ageColumn,
    ['+VolumeMode', ({ spec }) => spec.volumeMode ?? '<unset>', 'core.v1.PersistentVolumeClaimSpec.volumeMode'],
  ),
  persistentvolumes: table(
    nameColumn,
    ['Capacity', ({ spec }) => spec.capacity?.storage ?? '0'],
    ['Access Modes', ({ spec }) => accessModesText(spec.accessModes)],
    ['Reclaim Policy', ({ spec }) => spec.persistentVolumeReclaimPolicy ?? ''],
    ['Status', ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''))],
    ['Claim', ({ spec }) => (spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '')],
    ['StorageClass', ({ metadata, spec }) => metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? ''],
    ['VolumeAttributesClass', ({ spec }) => spec.volumeAttributesClassName ?? '<unset>'],
    ['Reason', ({ status }) => status?.reason ?? ''],
    ageColumn,
    ['+VolumeMode', ({ spec }) => spec.volumeMode ?? '<unset>'],
  ),
  pods: podTable,
  podtemplates: table(
    nameColumn,
    ['Containers', ({ template }) => containerCells(template)[0]],
    ['Images', ({ template }) => containerCells(template)[1]],
    ['Pod Labels', ({ template }) => labelsText(template?.metadata?.labels)],
  ),
  replicationcontrollers: table(
    nameColumn,
    ['Desired', 'integer', ({ spec }) => spec.replicas ?? 0, 'core.v1.ReplicationControllerSpec.replicas'],
    ['Current', 'integer', ({ status }) => status?.replicas ?? 0, 'core.v1.ReplicationControllerStatus.replicas'],
    ['Ready', 'integer', ({ status }) => status?.readyReplicas ?? 0, 'core.v1.ReplicationControllerStatus.readyReplicas'],
    ageColumn,
    ['+Containers', ({ spec }) => containerCells(spec.template)[0]],
    ['+Images', ({ spec }) => containerCells(spec.template)[1]],
    ['+Selector', ({ spec }) => labelsText(spec.selector), 'core.v1.ReplicationControllerSpec.selector'],
  ),
  resourcequotas: table(
    nameColumn,
    ['Request', ({ status }) => quotaText(status, (resource) => !resource.startsWith('limits'))],
    ['Limit', ({ status }) => quotaText(status, (resource) => resource.startsWith('limits'))],
    ageColumn,
  ),
  secrets: table(
    nameColumn,
    ['Type', ({ type }) => type ?? '', 'core.v1.Secret.type'],
    ['Data', ({ data }) => countOf(data), 'core.v1.Secret.data'],
    ageColumn,
  ),
  serviceaccounts: table(nameColumn, ageColumn),
  services: table(
    nameColumn,
    ['Type', ({ spec }) => spec.type ?? '', 'core.v1.ServiceSpec.type'],
    ['Cluster-IP', ({ spec }) => spec.clusterIPs?.[0] || '<none>', 'core.v1.ServiceSpec.clusterIP'],
    ['External-IP', (service) => externalAddress(service), 'core.v1.ServiceSpec.externalIPs'],
    ['Port(s)', ({ spec }) => (spec.ports ?? []).map(portText).join(',') || '<none>', 'core.v1.ServiceSpec.ports'],
    ageColumn,
    ['+Selector', ({ spec }) => labelsText(spec.selector), 'core.v1.ServiceSpec.selector'],
  ),
} satisfies Record<string, TableDefinition>;

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

const countOf = (map: object | undefined): number => Object.keys(map ?? {}).length;

interface ComponentCondition {
  type: string;
  status: string;
  message?: string;
  error?: string;
}
const healthy = (conditions: ComponentCondition[] | undefined): ComponentCondition | undefined =>
  conditions?.find(({ type }) => type === 'Healthy');

function endpointsText(subsets: { addresses?: { ip: string }[]; ports?: { port: number }[] }[] | undefined): string {
  const list: string[] = [];
  for (const { addresses = [], ports = [] } of subsets ?? []) {
    if (ports.length === 0) list.push(...addresses.map(({ ip }) => ip));
    for (const { port } of ports) list.push(...addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)));
  }
  return firstOf(list, 3) || '<none>';
}

interface EventFields extends KubeObject {
  eventTime?: string | null;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  series?: { count?: number; lastObservedTime?: string | null };
  source?: { component?: string; host?: string };
  reportingComponent?: string;
  reportingInstance?: string;
}
const firstSeen = ({ firstTimestamp, eventTime }: EventFields, now: number): string => age(firstTimestamp || eventTime, now);
function lastSeen(event: EventFields, now: number): string {
  if (event.series) return age(event.series.lastObservedTime, now);
  return event.lastTimestamp ? age(event.lastTimestamp, now) : firstSeen(event, now);
}
function sourceText({ source, reportingComponent, reportingInstance }: EventFields): string {
  const component = source?.component || reportingComponent || '';
  const instance = source?.host || reportingInstance;
  return instance ? `${component}, ${instance}` : component;
}
function objectText(reference: { kind?: string; name?: string } | undefined): string {
  const kind = (reference?.kind ?? '').toLowerCase();
  return reference?.name ? `${kind}/${reference.name}` : kind;
}

interface NodeFields extends KubeObject {
  spec?: { unschedulable?: boolean };
  status?: { conditions?: { type: string; status: string }[]; addresses?: { type: string; address: string }[] };
}
function nodeStatus({ spec, status }: NodeFields): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (spec?.unschedulable) words.push('SchedulingDisabled');
  return words.join(',');
}
function nodeRoles(labels: Record<string, string> = {}): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith('node-role.kubernetes.io/') && key.length > 24) roles.add(key.slice(24));
    else if (key === 'kubernetes.io/role' && value) roles.add(value);
  }
  return [...roles].sort().join(',') || '<none>';
}
const addressOf = (status: NodeFields['status'], kind: string): string =>
  status?.addresses?.find(({ type }) => type === kind)?.address ?? '<none>';

function quotaText(
  status: { hard?: Record<string, string>; used?: Record<string, string> } | undefined,
  wanted: (resource: string) => boolean,
): string {
  const { hard = {}, used = {} } = status ?? {};
  return Object.keys(hard)
    .filter(wanted)
    .sort()
    .map((resource) => `${resource}: ${used[resource] ?? '0'}/${hard[resource]}`)
    .join(', ');
}

const portText = ({ port, nodePort, protocol }: PortSpec): string => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`;

interface ServiceFields extends KubeObject {
  spec: { type?: string; externalIPs?: string[]; externalName?: string };
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
}
function externalAddress({ spec, status }: ServiceFields): string {
  const own = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ExternalName':
      return spec.externalName ?? '';
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean);
      return [...new Set(ingress)].sort().concat(own).join(',') || '<pending>';
    }
    case 'ClusterIP':
    case 'NodePort':
      return own.join(',') || '<none>';
    default:
      return '<unknown>';
  }
}

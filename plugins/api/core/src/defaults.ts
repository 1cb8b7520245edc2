import type { DefaultFunction } from '@kubernel/sdk';
import { podDefaults } from './pod-defaults.ts';

type Fields = Record<string, unknown>;

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  ...podDefaults,

  'core.v1.Endpoints': ({ subsets }) => {
    for (const { ports } of (subsets as { ports?: Fields[] }[] | undefined) ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP';
  },

  'core.v1.LimitRangeItem': (item) => {
    if (item.type !== 'Container') return;
    const limits = { ...(item.max as Fields | undefined), ...(item.default as Fields | undefined) };
    const requests = { ...(item.min as Fields | undefined), ...limits, ...(item.defaultRequest as Fields | undefined) };
    if (Object.keys(limits).length) item.default = limits;
    if (Object.keys(requests).length) item.defaultRequest = requests;
  },

  'core.v1.Namespace': ({ metadata }) => {
    const meta = metadata as { name?: string; labels?: Fields };
    if (meta.name) meta.labels = { ...meta.labels, 'kubernetes.io/metadata.name': meta.name };
  },
  'core.v1.NamespaceStatus': (status) => {
    status.phase ||= 'Active';
  },

  'core.v1.NodeSpec': (value) => {
    const spec = value as { podCIDR?: string; podCIDRs?: string[] };
    if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
    else if (!spec.podCIDR && spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
  },
  'core.v1.NodeStatus': (status) => {
    if (!status.allocatable && status.capacity) status.allocatable = { ...(status.capacity as Fields) };
  },

  'core.v1.PersistentVolume': ({ spec, status }) => {
    (status as Fields).phase ||= 'Pending';
    (spec as Fields).persistentVolumeReclaimPolicy ||= 'Retain';
    (spec as Fields).volumeMode ??= 'Filesystem';
  },
  'core.v1.PersistentVolumeClaim': ({ status }) => {
    (status as Fields).phase ||= 'Pending';
  },
  'core.v1.PersistentVolumeClaimSpec': (spec) => {
    spec.volumeMode ??= 'Filesystem';
  },

  'core.v1.ReplicationController': (controller) => {
    const spec = controller.spec as { replicas?: number; selector?: Fields; template?: { metadata?: { labels?: Fields } } };
    const metadata = controller.metadata as { labels?: Fields };
    const labels = spec.template?.metadata?.labels;
    if (labels) {
      if (!Object.keys(spec.selector ?? {}).length) spec.selector = { ...labels };
      if (!Object.keys(metadata.labels ?? {}).length) metadata.labels = { ...labels };
    }
    spec.replicas ??= 1;
  },

  'core.v1.Secret': (secret) => {
    foldStringData(secret);
    secret.type ||= 'Opaque';
  },

  'core.v1.Service': (service) => {
    const spec = service.spec as ServiceSpec;
    spec.sessionAffinity ||= 'None';
    if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
    if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } };
    }
    spec.type ||= 'ClusterIP';
    for (const port of spec.ports ?? []) {
      port.protocol ||= 'TCP';
      if (!port.targetPort || port.targetPort === '0') port.targetPort = port.port;
    }
    const exposed = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
    if ((exposed || (spec.type === 'ClusterIP' && spec.externalIPs?.length)) && !spec.externalTrafficPolicy)
      spec.externalTrafficPolicy = 'Cluster';
    if ((exposed || spec.type === 'ClusterIP') && spec.internalTrafficPolicy === undefined) spec.internalTrafficPolicy = 'Cluster';
    if (spec.type !== 'LoadBalancer') return;
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of (service.status as ServiceStatus).loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
  },
};

interface ServiceSpec {
  type?: string;
  ports?: { port?: number; targetPort?: number | string; protocol?: string }[];
  sessionAffinity?: string;
  sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
  externalIPs?: string[];
  externalTrafficPolicy?: string;
  internalTrafficPolicy?: string;
  allocateLoadBalancerNodePorts?: boolean;
}
interface ServiceStatus {
  loadBalancer?: { ingress?: { ip?: string; ipMode?: string }[] };
}

/** stringData is write-only: it ends up in data. Here and not in the strategy, since whoever sets it manages the data. */
function foldStringData(secret: Fields): void {
  const plain = secret.stringData as Record<string, string> | undefined;
  if (!plain) return;
  const data: Fields = { ...(secret.data as Fields | undefined) };
  for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(value).toString('base64');
  secret.data = data;
  delete secret.stringData;
}

import type { DefaultFunction } from '@kubernel/sdk';
import { parseQuantity, Quantity } from '@kubernel/sdk/api';

type Amounts = Record<string, string>;

interface Resources {
  limits?: Amounts;
  requests?: Amounts;
}
interface Container {
  image?: string;
  imagePullPolicy?: string;
  ports?: { containerPort?: number; hostPort?: number }[];
  resources?: Resources;
  restartPolicy?: string;
  terminationMessagePath?: string;
  terminationMessagePolicy?: string;
}
interface PodSpec {
  containers?: Container[] | null;
  initContainers?: Container[];
  resources?: Resources;
  hostNetwork?: boolean;
  enableServiceLinks?: boolean;
  dnsPolicy?: string;
  restartPolicy?: string;
  securityContext?: object;
  terminationGracePeriodSeconds?: number;
  schedulerName?: string;
  serviceAccountName?: string;
  serviceAccount?: string;
}

const FILE_MODE = 0o644;
const fileMode: DefaultFunction = (source) => {
  source.defaultMode ??= FILE_MODE;
};

const container: DefaultFunction = (value) => {
  const target = value as Container;
  target.imagePullPolicy ||= pullPolicyOf(target.image ?? '');
  target.terminationMessagePath ||= '/dev/termination-log';
  target.terminationMessagePolicy ||= 'File';
};

/** Defaults of pods, pod templates and the types inside them. */
export const podDefaults: Readonly<Record<string, DefaultFunction>> = {
  'core.v1.Pod': ({ spec }) => {
    const pod = spec as PodSpec;
    // what follows is for pods only: a template keeps what its author wrote
    for (const { resources } of [...(pod.containers ?? []), ...(pod.initContainers ?? [])]) requestsFromLimits(resources);
    defaultPodRequests(pod);
    pod.enableServiceLinks ??= true;
    if (pod.hostNetwork) takeHostPorts(pod);
  },

  'core.v1.PodSpec': (value) => {
    const spec = value as PodSpec;
    spec.containers ??= []; // refused later; until then everybody may look through them
    spec.dnsPolicy ||= 'ClusterFirst';
    spec.restartPolicy ||= 'Always';
    spec.terminationGracePeriodSeconds ??= 30;
    spec.securityContext ??= {};
    spec.schedulerName ||= 'default-scheduler';
    // two names of one field; the old one is kept for old clients
    const account = spec.serviceAccountName || spec.serviceAccount;
    if (account) spec.serviceAccountName = spec.serviceAccount = account;
  },

  // one address and the list of addresses: the single one counts when they differ
  'core.v1.PodStatus': (value) => {
    const status = value as { podIP?: string; podIPs?: { ip?: string }[] };
    if (status.podIP && status.podIPs?.[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }];
    else if (!status.podIP && status.podIPs?.[0]?.ip) status.podIP = status.podIPs[0].ip;
  },

  'core.v1.Container': container,
  'core.v1.EphemeralContainer': container,

  'core.v1.Probe': (probe) => {
    probe.timeoutSeconds ||= 1;
    probe.periodSeconds ||= 10;
    probe.successThreshold ||= 1;
    probe.failureThreshold ||= 3;
  },
  'core.v1.HTTPGetAction': (action) => {
    action.path ||= '/';
    action.scheme ||= 'HTTP';
  },
  'core.v1.ObjectFieldSelector': (selector) => {
    selector.apiVersion ||= 'v1';
  },

  'core.v1.Volume': (volume) => {
    if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  },
  'core.v1.ImageVolumeSource': (image) => {
    image.pullPolicy ||= pullPolicyOf(String(image.reference ?? ''));
  },
  'core.v1.SecretVolumeSource': fileMode,
  'core.v1.ConfigMapVolumeSource': fileMode,
  'core.v1.DownwardAPIVolumeSource': fileMode,
  'core.v1.ProjectedVolumeSource': fileMode,
  'core.v1.HostPathVolumeSource': (source) => {
    source.type ??= '';
  },
  'core.v1.ServiceAccountTokenProjection': (source) => {
    source.expirationSeconds ??= 3600;
  },
};

/** `Always` for `latest`, said or unsaid; an image pinned by another tag or a digest need not be pulled again. */
function pullPolicyOf(image: string): string {
  const [reference = '', digest] = image.split('@');
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  const tag = colon < 0 ? (digest === undefined ? 'latest' : '') : name.slice(colon + 1);
  return tag === 'latest' && /^[a-z0-9]/.test(name) ? 'Always' : 'IfNotPresent';
}

function requestsFromLimits(resources: Resources | undefined): void {
  if (resources?.limits) resources.requests = { ...resources.limits, ...resources.requests };
}

const POD_LEVEL = /^(cpu|memory|hugepages-.+)$/;

/** Pod-level requests, where pod-level limits are given: what the containers ask for, else the limit (KEP-2837). */
function defaultPodRequests({ resources, containers, initContainers }: PodSpec): void {
  if (!resources?.limits || Object.keys(resources.limits).length === 0) return;
  const requests: Amounts = { ...resources.requests };
  for (const [name, amount] of Object.entries(containerRequests(containers ?? [], initContainers ?? []))) {
    if (POD_LEVEL.test(name) && requests[name] === undefined) requests[name] = amount.toString();
  }
  for (const [name, limit] of Object.entries(resources.limits)) if (POD_LEVEL.test(name)) requests[name] ??= limit;
  resources.requests = requests;
}

/** Containers and sidecars together, or the biggest init container beside the sidecars before it. */
function containerRequests(containers: Container[], initContainers: Container[]): Record<string, Quantity> {
  const sum: Record<string, Quantity> = {};
  const add = (to: Record<string, Quantity>, from: Amounts | undefined): void => {
    for (const [name, text] of Object.entries(from ?? {})) to[name] = (to[name] ?? Quantity.zero).add(parseQuantity(text));
  };
  for (const { resources } of containers) add(sum, resources?.requests);
  const sidecars: Record<string, Quantity> = {};
  const peak: Record<string, Quantity> = {};
  for (const { resources, restartPolicy } of initContainers) {
    let running = sidecars;
    if (restartPolicy === 'Always') {
      add(sum, resources?.requests);
      add(sidecars, resources?.requests);
    } else {
      running = { ...sidecars };
      add(running, resources?.requests);
    }
    for (const [name, amount] of Object.entries(running)) if (amount.compare(peak[name] ?? Quantity.zero) > 0) peak[name] = amount;
  }
  for (const [name, amount] of Object.entries(peak)) if (amount.compare(sum[name] ?? Quantity.zero) > 0) sum[name] = amount;
  return sum;
}

/** On the host's network a container's ports are the host's. */
function takeHostPorts(spec: PodSpec): void {
  for (const { ports } of [...(spec.containers ?? []), ...(spec.initContainers ?? [])])
    for (const port of ports ?? []) port.hostPort ||= port.containerPort;
}

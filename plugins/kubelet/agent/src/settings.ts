import type { Taint } from '@kubernel/sdk/api';

/** The plugin's config (config.schema.json). */
export interface AgentConfig {
  /** How many nodes this plugin stands for. Default 1; more make sense with cri/sim. */
  nodes?: number;
  /** Name of the one node. Default: the machine's host name. */
  nodeName?: string;
  /** With several nodes: `<prefix>-0`, `<prefix>-1`, … Default `node`. */
  namePrefix?: string;
  /** Name of the cri/v1 provider. Default: the only one there is. */
  cri?: string;
  /** Name of the cni/v1 provider that learns the node's pod addresses; `''`: none. Default: the only one there is. */
  cni?: string;
  /** The address other machines reach this node at. Default: the first address that is not local. */
  nodeIP?: string;
  /** Port of the kubelet API. Default 10250; 0: any free one. */
  port?: number;
  labels?: Record<string, string>;
  taints?: Taint[];
  /** Replaces what the machine has: `{cpu: '8', memory: 16Gi, pods: '110'}`. */
  capacity?: Record<string, string>;
  /** Kept from pods: `{cpu: 200m, memory: 512Mi}`. */
  reserved?: Record<string, string>;
  /** Default 110. */
  maxPods?: number;
  /** Pod addresses of the one node until its Node object names some. Default: what the object says. */
  podCIDR?: string;
  /** Where container logs are kept. Default `<plugin dir>/logs`. */
  logsDir?: string;
  /** A log file is rotated beyond this size. Default 10 MiB, five files kept. */
  containerLogMaxSizeBytes?: number;
  containerLogMaxFiles?: number;
  /** Write Events. Default: for up to 10 nodes. */
  events?: boolean;
  /** Root of the pods' cgroups. Default `/kubepods`. */
  cgroupRoot?: string;
}

export const LEASE_NAMESPACE = 'kube-node-lease';
export const LEASE_DURATION_SECONDS = 40;
export const LEASE_RENEW_MS = 10_000;
/** Status is written when it changes, and this often in any case (the lease is the sign of life). */
export const STATUS_MAX_AGE_MS = 300_000;
export const STATUS_CHECK_MS = 10_000;
/** What the kubelet says it is; clients read the minor version. */
export const KUBELET_VERSION = 'v1.36.0-kubernel.0.1.0';

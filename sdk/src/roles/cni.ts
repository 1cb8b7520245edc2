/** cni/v1: the pod network, by CNI (https://github.com/containernetworking/cni/blob/main/SPEC.md). */
export interface CniDriver {
  /** Why the network is not ready, or undefined. */
  check(): Promise<string | undefined>;
  /** Where a runtime that calls CNI itself finds the network configuration and the binaries. Known before `configure`. */
  locations(): Promise<CniLocations>;
  /**
   * Writes the network configuration for this node's pod addresses, atomically, and only when it differs: a runtime that
   * watches `confDir` reads it again. Pods that run keep their addresses.
   */
  configure(request: { podCIDRs: string[]; mtu?: number }): Promise<void>;
  /** CNI ADD over the configured list, for a runtime that does not call CNI itself. */
  attach(request: CniAttachment): Promise<CniResult>;
  /** CNI DEL in reverse order. Idempotent. */
  detach(request: CniAttachment): Promise<void>;
  /** Removes what it made on the machine (a bridge). Without it that stays, for the pods that run on. */
  shutdown?(): Promise<void>;
}

export interface CniLocations {
  confDir: string;
  binDir: string;
}

export interface CniAttachment {
  containerId: string;
  /** Path of the network namespace, `/run/netns/…`. */
  netns: string;
  /** Default `eth0`. */
  ifName?: string;
  /** CNI_ARGS: `K8S_POD_NAMESPACE` and so on. */
  args?: Record<string, string>;
  portMappings?: { hostPort: number; containerPort: number; protocol: string; hostIP?: string }[];
}

export interface CniResult {
  /** Addresses without prefix length, in the order of the node's pod CIDRs. */
  ips: string[];
  /** The last plugin's result, as CNI defines it. */
  raw: Record<string, unknown>;
}

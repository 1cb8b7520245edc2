/** cni/v1: attaches pod sandboxes to the network (https://github.com/containernetworking/cni/blob/main/SPEC.md). */
export interface CniDriver {
  /** Why the network is not ready, or undefined. */
  check(): Promise<string | undefined>;
}

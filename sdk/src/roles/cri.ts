/**
 * cri/v1: the container runtime, as the kubelet calls it. Methods and messages are those of Kubernetes' CRI v1
 * (https://kubernetes.io/docs/concepts/containers/cri/, package runtime.v1), as JSON with lowerCamelCase names, so that a
 * driver that speaks to a real CRI socket passes them on as they are:
 *
 * - int64 and uint64 are numbers. Times are nanoseconds since 1970, precise to about 250 ns.
 * - enums are their CRI names (`SANDBOX_READY`).
 * - bytes are strings: environment values and the output of `execSync` are UTF-8 text.
 * - absent messages may be `null` or missing.
 *
 * Every method rejects with a KubernelError. Of its codes a caller may rely on `ERR_CRI_NOT_FOUND` (no such sandbox,
 * container or image), `ERR_CRI_UNAVAILABLE` (the runtime cannot be reached now: try again), `ERR_CRI_UNIMPLEMENTED`,
 * `ERR_CRI_TIMEOUT` (execSync ran out of time) and `ERR_CRI` for everything else. stop and remove are idempotent.
 * Methods may be called concurrently, for the same sandbox too.
 */
export interface CriRuntime {
  version(): Promise<{ runtimeName: string; runtimeVersion: string; runtimeApiVersion: string }>;
  /** `RuntimeReady` and `NetworkReady`. */
  status(): Promise<{ conditions: RuntimeCondition[]; handlers: RuntimeHandler[] }>;

  /** Creates and starts a sandbox: its namespaces and its network are up when this returns. */
  runPodSandbox(request: { config: PodSandboxConfig; runtimeHandler?: string }): Promise<{ podSandboxId: string }>;
  /** Ends every process of the sandbox and gives its network back. */
  stopPodSandbox(request: { podSandboxId: string }): Promise<void>;
  removePodSandbox(request: { podSandboxId: string }): Promise<void>;
  podSandboxStatus(request: { podSandboxId: string }): Promise<PodSandboxStatus>;
  listPodSandbox(request?: { filter?: PodSandboxFilter }): Promise<PodSandbox[]>;

  createContainer(request: {
    podSandboxId: string;
    config: ContainerConfig;
    sandboxConfig: PodSandboxConfig;
  }): Promise<{ containerId: string }>;
  startContainer(request: { containerId: string }): Promise<void>;
  /** The container's stop signal, then SIGKILL after `timeout` seconds (0: SIGKILL at once). */
  stopContainer(request: { containerId: string; timeout: number }): Promise<void>;
  removeContainer(request: { containerId: string }): Promise<void>;
  listContainers(request?: { filter?: ContainerFilter }): Promise<Container[]>;
  containerStatus(request: { containerId: string }): Promise<ContainerStatus>;
  updateContainerResources(request: { containerId: string; linux: LinuxContainerResources }): Promise<void>;
  /** Opens the log file again after it was renamed away. */
  reopenContainerLog(request: { containerId: string }): Promise<void>;
  containerStats(request: { containerId: string }): Promise<ContainerStats>;
  listContainerStats(request?: { filter?: { podSandboxId?: string } }): Promise<ContainerStats[]>;

  /** Runs a command to its end. `timeout` in seconds, 0: none. */
  execSync(request: { containerId: string; cmd: string[]; timeout: number }): Promise<ExecSyncResult>;
  /** URL of a streaming session (SPDY/3.1 remotecommand; WebSocket where the runtime has it). Good for one connection. */
  exec(request: StreamRequest & { cmd: string[] }): Promise<{ url: string }>;
  attach(request: StreamRequest): Promise<{ url: string }>;
  portForward(request: { podSandboxId: string; port: number[] }): Promise<{ url: string }>;

  pullImage(request: { image: ImageSpec; auth?: AuthConfig; sandboxConfig?: PodSandboxConfig }): Promise<{ imageRef: string }>;
  listImages(request?: { filter?: { image: ImageSpec } }): Promise<Image[]>;
  /** `null`: not on this machine. */
  imageStatus(request: { image: ImageSpec }): Promise<Image | null>;
  removeImage(request: { image: ImageSpec }): Promise<void>;
  imageFsInfo(): Promise<{ imageFilesystems: FilesystemUsage[]; containerFilesystems: FilesystemUsage[] }>;

  /**
   * What happens to containers from now on. Best effort: an event may be lost, so a caller lists now and then too.
   * Fails with ERR_CRI_UNIMPLEMENTED where the runtime has none.
   */
  events(): AsyncIterable<ContainerEvent>;

  /** Not part of CRI: loads a docker or OCI archive (tar, or gzip of it) and returns the names it gave. `file` is absolute. */
  importImage?(request: { file: string; names?: string[] }): Promise<{ images: string[] }>;
  /** Not part of CRI: ends all pods and the runtime's own processes. Without it they outlive the plugin, to be adopted. */
  shutdown?(): Promise<void>;
}

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

export interface RuntimeHandler {
  name: string;
  features?: { recursiveReadOnlyMounts?: boolean; userNamespaces?: boolean } | null;
}

// ---------------------------------------------------------------------------------------------------- sandboxes

export interface PodSandboxMetadata {
  name: string;
  uid: string;
  namespace: string;
  /** Counts sandboxes of one pod, from 0. */
  attempt: number;
}

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata;
  /** Empty with the host's network. */
  hostname: string;
  /** Absolute; containers' log paths are relative to it. */
  logDirectory: string;
  dnsConfig?: { servers: string[]; searches: string[]; options: string[] };
  portMappings?: PortMapping[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  linux: {
    /** Absolute cgroup path (`/kubepods/burstable/pod…`) or '' for the runtime's own. */
    cgroupParent: string;
    securityContext?: SandboxSecurityContext;
    sysctls?: Record<string, string>;
    overhead?: LinuxContainerResources;
    resources?: LinuxContainerResources;
  };
}

export interface PortMapping {
  protocol: 'TCP' | 'UDP' | 'SCTP';
  containerPort: number;
  hostPort: number;
  hostIp: string;
}

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';

export interface NamespaceOption {
  network: NamespaceMode;
  pid: NamespaceMode;
  ipc: NamespaceMode;
  targetId?: string;
  usernsOptions?: { mode: NamespaceMode; uids: IdMapping[]; gids: IdMapping[] } | null;
}

export interface IdMapping {
  hostId: number;
  containerId: number;
  length: number;
}

export interface SecurityProfile {
  profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  localhostRef?: string;
}

export interface SandboxSecurityContext {
  namespaceOptions: NamespaceOption;
  runAsUser?: { value: number } | null;
  runAsGroup?: { value: number } | null;
  readonlyRootfs?: boolean;
  supplementalGroups?: number[];
  supplementalGroupsPolicy?: 'Merge' | 'Strict';
  privileged?: boolean;
  seccomp?: SecurityProfile;
  apparmor?: SecurityProfile;
  selinuxOptions?: { user: string; role: string; type: string; level: string };
}

export type PodSandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY';

export interface PodSandboxFilter {
  id?: string;
  state?: { state: PodSandboxState };
  labelSelector?: Record<string, string>;
}

export interface PodSandbox {
  id: string;
  metadata: PodSandboxMetadata;
  state: PodSandboxState;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  runtimeHandler: string;
}

export interface PodSandboxStatus extends PodSandbox {
  /** `null` with the host's network. */
  network: { ip: string; additionalIps: { ip: string }[] } | null;
}

// ---------------------------------------------------------------------------------------------------- containers

export interface ContainerMetadata {
  name: string;
  /** Restart count, from 0. */
  attempt: number;
}

export interface ContainerConfig {
  metadata: ContainerMetadata;
  image: ImageSpec;
  /** Replaces the image's entrypoint when not empty. */
  command: string[];
  args: string[];
  workingDir: string;
  envs: { key: string; value: string }[];
  mounts: Mount[];
  devices?: { containerPath: string; hostPath: string; permissions: string }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Relative to the sandbox's log directory. */
  logPath: string;
  stdin?: boolean;
  stdinOnce?: boolean;
  tty?: boolean;
  linux: { resources: LinuxContainerResources; securityContext: ContainerSecurityContext };
  /** CRI name of a signal, `SIGTERM`; `RUNTIME_DEFAULT` or missing: the image's. */
  stopSignal?: string;
}

export interface Mount {
  containerPath: string;
  hostPath: string;
  readonly: boolean;
  propagation?: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL';
  recursiveReadOnly?: boolean;
}

export interface LinuxContainerResources {
  /** Microseconds. 0 or missing: leave alone, in all of these. */
  cpuPeriod?: number;
  /** Microseconds per period; -1: no limit. */
  cpuQuota?: number;
  cpuShares?: number;
  memoryLimitInBytes?: number;
  oomScoreAdj?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  hugepageLimits?: { pageSize: string; limit: number }[];
  /** cgroup v2 files and values. */
  unified?: Record<string, string>;
  memorySwapLimitInBytes?: number;
}

export interface ContainerSecurityContext extends SandboxSecurityContext {
  capabilities?: { addCapabilities: string[]; dropCapabilities: string[]; addAmbientCapabilities?: string[] };
  runAsUsername?: string;
  noNewPrivs?: boolean;
  maskedPaths?: string[];
  readonlyPaths?: string[];
}

export type ContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN';

export interface ContainerFilter {
  id?: string;
  state?: { state: ContainerState };
  podSandboxId?: string;
  labelSelector?: Record<string, string>;
}

export interface Container {
  id: string;
  podSandboxId: string;
  metadata: ContainerMetadata;
  image: ImageSpec;
  imageRef: string;
  state: ContainerState;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface ContainerStatus {
  id: string;
  metadata: ContainerMetadata;
  state: ContainerState;
  createdAt: number;
  /** 0: never started. */
  startedAt: number;
  /** 0: has not ended. */
  finishedAt: number;
  exitCode: number;
  image: ImageSpec;
  /** `sha256:…` or `name@sha256:…`. */
  imageRef: string;
  imageId?: string;
  /** `Completed`, `Error`, `OOMKilled`, … */
  reason: string;
  message: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  mounts: Mount[];
  /** Absolute. */
  logPath: string;
  resources?: { linux: LinuxContainerResources | null } | null;
  user?: { linux: { uid: number; gid: number; supplementalGroups: number[] } | null } | null;
}

export interface ContainerEvent {
  containerId: string;
  type: 'CONTAINER_CREATED_EVENT' | 'CONTAINER_STARTED_EVENT' | 'CONTAINER_STOPPED_EVENT' | 'CONTAINER_DELETED_EVENT';
  /** Nanoseconds. */
  createdAt: number;
}

export interface ContainerStats {
  attributes: { id: string; metadata: ContainerMetadata; labels: Record<string, string>; annotations: Record<string, string> };
  cpu: { timestamp: number; usageCoreNanoSeconds: { value: number } | null; usageNanoCores?: { value: number } | null } | null;
  memory: {
    timestamp: number;
    workingSetBytes: { value: number } | null;
    availableBytes?: { value: number } | null;
    usageBytes?: { value: number } | null;
    rssBytes?: { value: number } | null;
    pageFaults?: { value: number } | null;
    majorPageFaults?: { value: number } | null;
  } | null;
  writableLayer: FilesystemUsage | null;
}

export interface ExecSyncResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

export interface StreamRequest {
  containerId: string;
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

// ---------------------------------------------------------------------------------------------------- images

export interface ImageSpec {
  /** A name, or an id. */
  image: string;
  annotations?: Record<string, string>;
}

export interface AuthConfig {
  username?: string;
  password?: string;
  auth?: string;
  serverAddress?: string;
  identityToken?: string;
  registryToken?: string;
}

export interface Image {
  /** `sha256:…` of its configuration. */
  id: string;
  repoTags: string[];
  repoDigests: string[];
  size: number;
  /** The image's USER, when it is a number. */
  uid: { value: number } | null;
  /** The image's USER, when it is a name. */
  username: string;
  pinned?: boolean;
}

export interface FilesystemUsage {
  timestamp: number;
  fsId: { mountpoint: string } | null;
  usedBytes: { value: number } | null;
  inodesUsed: { value: number } | null;
}

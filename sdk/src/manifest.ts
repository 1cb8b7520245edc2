/** The `kubernel` field of a plugin package's package.json: what the host reads and checks before any plugin code runs. */
export interface PluginManifest {
  /** Module to import, relative to the package: `./dist/index.js`. Its default export is a definition or a list of them. */
  entry: string;
  /** semver range of the kernel API. */
  kernel: string;
  provides: Provision[];
  requires?: Requirement[];
  /** Path of the JSON Schema that the plugin's config must satisfy, relative to the package. */
  config?: string;
  /** RBAC-style rules the plugin's identity `system:plugin:<id>` is granted when the config agrees. */
  permissions?: PermissionRule[];
  isolate?: IsolateKind;
  limits?: PluginLimits;
  swap?: 'shadow' | 'exclusive' | 'restart';
  /** Versions of hand-over state this plugin writes, and those it can read. */
  state?: { writes: number; reads: number[] };
}

export interface Provision {
  /** `storage/v1`. */
  role: string;
  /** `sqlite`. */
  name: string;
  /** Only one copy may be active in a cluster: started when this kernel is elected for it. */
  elected?: boolean;
  requires?: Requirement[];
  permissions?: PermissionRule[];
  /** JSON Schema of this provision's config, relative to the package; overrides the package's. */
  config?: string;
}

export interface Requirement {
  role: string;
  optional?: boolean;
}

export interface PermissionRule {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
}

/** `thread`: a worker thread. `inline`: the kernel's own thread. `process`: a child process with hard limits. */
export type IsolateKind = 'thread' | 'inline' | 'process';

export interface PluginLimits {
  heapMb?: number;
  /** How long `start` may take, in milliseconds. Default 30,000. */
  startMs?: number;
  /** How long one call into the plugin may take, in milliseconds. Default 30,000. */
  callMs?: number;
  /** How long in-flight calls may finish in when the plugin is stopped, in milliseconds. Default 10,000. */
  drainMs?: number;
}

/** `storage/v1` + `sqlite` -> `storage/sqlite`: the name a config file uses. */
export function pluginId(role: string, name: string): string {
  return `${role.slice(0, role.lastIndexOf('/'))}/${name}`;
}

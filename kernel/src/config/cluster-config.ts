import type { ClusterSettings, IsolateKind, PermissionRule } from '@kubernel/sdk';

/** A cluster as a config file composes it, with every default filled in. See docs/compose.md. */
export interface ClusterConfig {
  name: string;
  cluster: ClusterSettings;
  store: {
    /** How long superseded values are kept, in milliseconds. */
    historyMs: number;
  };
  election: ElectionConfig;
  isolates: Record<string, IsolateConfig>;
  plugins: Record<string, PluginConfig>;
}

export interface ElectionConfig {
  /**
   * `lease`: by Lease objects in kube-system. `local`: this kernel is the only one, whatever is elected runs here.
   * `auto`: `lease` where the storage can be shared by several kernels, else `local`.
   */
  mode: 'auto' | 'lease' | 'local';
  leaseSeconds: number;
  renewSeconds: number;
  retrySeconds: number;
}

export interface IsolateConfig {
  kind: IsolateKind;
  heapMb?: number;
}

export interface PluginConfig {
  /** The npm package, for plugins that are not Kubernel's own. */
  package?: string;
  /** semver range. Default `*`. */
  version: string;
  enabled: boolean;
  /** `thread`, `inline`, `process`, or a name from `isolates`. Undefined: what the manifest says. */
  isolate?: string;
  config: Record<string, unknown>;
  /** What the plugin may do. Undefined: what its manifest asks, for Kubernel's own packages; nothing, for others. */
  permissions?: PermissionRule[];
}

export const DEFAULT_CLUSTER: ClusterSettings = {
  name: 'kubernel',
  clusterDomain: 'cluster.local',
  serviceCIDRs: ['10.96.0.0/16'],
  podCIDRs: ['10.244.0.0/16'],
  clusterDNS: ['10.96.0.10'],
  nodePortRange: [30000, 32767],
};

/** Lease durations of client-go's leader election. */
export const DEFAULT_ELECTION: ElectionConfig = { mode: 'auto', leaseSeconds: 15, renewSeconds: 10, retrySeconds: 2 };

export const DEFAULT_HISTORY_MS = 300_000;

/** What the YAML holds: {@link ClusterConfig} with everything optional, in a Kubernetes-style envelope. */
export interface ClusterDocument {
  apiVersion: 'kubernel.dev/v1alpha1';
  kind: 'Cluster';
  metadata: { name: string };
  spec: {
    cluster?: Partial<Omit<ClusterSettings, 'name'>>;
    store?: { historyMs?: number };
    election?: Partial<ElectionConfig>;
    isolates?: Record<string, IsolateConfig>;
    plugins: Record<string, (Omit<Partial<PluginConfig>, never> & object) | null>;
  };
}

export function withDefaults(document: ClusterDocument): ClusterConfig {
  const { metadata, spec } = document;
  const plugins: Record<string, PluginConfig> = {};
  for (const [id, given] of Object.entries(spec.plugins)) {
    plugins[id] = { version: '*', enabled: true, ...given, config: given?.config ?? {} };
  }
  return {
    name: metadata.name,
    cluster: { ...DEFAULT_CLUSTER, ...spec.cluster, name: metadata.name },
    store: { historyMs: spec.store?.historyMs ?? DEFAULT_HISTORY_MS },
    election: { ...DEFAULT_ELECTION, ...spec.election },
    isolates: spec.isolates ?? {},
    plugins,
  };
}

import type { CriRuntime, Logger } from '@kubernel/sdk';
import type { Pod, Service } from '@kubernel/sdk/api';
import type { Client, EventRecorder } from '@kubernel/sdk/client';
import type { PodCgroups } from './cgroups.ts';
import type { DnsConfig } from './dns.ts';
import type { ImagePuller } from './images.ts';
import type { ReferencedObjects } from './referenced-objects.ts';
import type { RuntimeCache } from './runtime-cache.ts';
import type { PodTokens } from './tokens.ts';
import type { VolumeManager } from './volumes/manager.ts';

/** What all pods of one agent share. */
export interface AgentContext {
  client: Client;
  cri: CriRuntime;
  cache: RuntimeCache;
  volumes: VolumeManager;
  images: ImagePuller;
  objects: ReferencedObjects;
  tokens: PodTokens;
  /** Services whose addresses containers get as environment variables. Resolves when they are known. */
  services(): Promise<readonly Service[]>;
  log: Logger;
  signal: AbortSignal;
  /** `containerd`. */
  runtimeName: string;
  /** Containers exist in name only: no probes, no files. */
  simulated: boolean;
  logsDir: string;
  cgroupRoot: string;
  /** Every pod this agent has. */
  pods(): Pod[];
  /** Undefined when simulated. */
  cgroups: PodCgroups | undefined;
  cluster: { dns: readonly string[]; domain: string };
  hostDns: DnsConfig;
}

/** What the pods of one node share. */
export interface NodeContext {
  agent: AgentContext;
  name: string;
  hostIPs: readonly string[];
  allocatable: Readonly<Record<string, string>>;
  memoryBytes: number;
  recorder: EventRecorder | undefined;
}

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CniDriver, CriRuntime, PluginContext } from '@kubernel/sdk';
import { type Node, type Pod, quantityValue, type Service } from '@kubernel/sdk/api';
import { createEventRecorder, createInformer, createSharedInformers, PODS, SERVICES, sleep } from '@kubernel/sdk/client';
import { PodCgroups } from './cgroups.ts';
import { hostDns } from './dns.ts';
import { messageOf, nodeNameNeeded } from './errors.ts';
import { ImagePuller } from './images.ts';
import { NODE_NAME } from './labels.ts';
import { hostAddress, inspectMachine, type Machine } from './machine.ts';
import type { AgentContext, NodeContext } from './node-context.ts';
import { NodeHeartbeat, type ReportingNode } from './node-heartbeat.ts';
import { type NodeInputs, nodeObject, nodeStatus } from './node-object.ts';
import { uidOf } from './pod-fields.ts';
import { PodWorker } from './pod-worker.ts';
import { ReferencedObjects } from './referenced-objects.ts';
import { type KnownContainer, RuntimeCache } from './runtime-cache.ts';
import type { AgentConfig } from './settings.ts';
import { PodTokens } from './tokens.ts';
import { HostVolumes, SimulatedVolumes } from './volumes/manager.ts';

/** Whoever stops a whole cluster waits for it: longer grace periods are for pods that are deleted. */
const SHUTDOWN_GRACE_SECONDS = 2;
/** The runtime that says of itself that it runs nothing. */
const SIMULATED_RUNTIME = 'kubernel-sim';

interface HostedNode extends NodeContext, ReportingNode {
  allocatable: Record<string, string>;
}

/**
 * One agent stands for one node with real containers, or for any number of simulated ones, by the same code. It watches
 * the pods bound to its nodes and has a {@link PodWorker} for each.
 */
export class Agent {
  readonly #ctx: PluginContext<AgentConfig>;
  readonly #cri: CriRuntime;
  readonly #cni: CniDriver | undefined;
  readonly #workers = new Map<string, PodWorker>();
  /** Pods whose end is done while their object lingers, for somebody's finalizer. */
  readonly #over = new Set<string>();
  readonly #nodes = new Map<string, HostedNode>();
  readonly #machine: Machine;
  #heartbeat: NodeHeartbeat | undefined;
  #notReady: string | undefined = 'container runtime status check may not have completed yet';
  #port: number | undefined;
  context!: AgentContext;

  constructor(ctx: PluginContext<AgentConfig>, cri: CriRuntime, cni: CniDriver | undefined) {
    this.#ctx = ctx;
    this.#cri = cri;
    this.#cni = cni;
    this.#machine = inspectMachine(ctx.dataDir);
  }

  /** Before {@link start}: where the kubelet API listens. */
  announce(port: number): void {
    this.#port = port;
  }

  /** Resolves when the nodes are registered and what runs already is adopted. Pods are worked on from then. */
  async start(): Promise<void> {
    const { config, signal, log } = this.#ctx;
    const version = await this.#runtimeVersion();
    const simulated = version.runtimeName === SIMULATED_RUNTIME;
    const context = this.#createContext(version.runtimeName, simulated);
    this.context = context;
    const count = config.nodes ?? 1;
    if (count > 1 && config.nodeName) throw nodeNameNeeded(count);
    for (let i = 0; i < count; i++) {
      const name = count === 1 && !config.namePrefix ? (config.nodeName ?? this.#machine.hostname) : `${config.namePrefix ?? 'node'}-${i}`;
      this.#nodes.set(name, this.#createNode(name, context, `${version.runtimeName}://${version.runtimeVersion}`));
    }
    await context.cache.start();
    await this.#checkReady();
    this.#heartbeat = new NodeHeartbeat(context.client, [...this.#nodes.values()], log, signal);
    await this.#heartbeat.start();
    if (signal.aborted) return;
    await this.#followPods();
    void this.#watchReadiness();
  }

  get notReady(): string | undefined {
    return this.#notReady;
  }

  pods(): Pod[] {
    return [...this.#workers.values()].map(({ pod }) => pod);
  }

  runningContainers(): [id: string, status: KnownContainer][] {
    return [...this.#workers.values()].flatMap(({ runtime }) =>
      [...runtime.containers].filter(([, { state }]) => state === 'CONTAINER_RUNNING'),
    );
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  find(namespace: string, name: string): PodWorker | undefined {
    let found: PodWorker | undefined;
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.namespace !== namespace || metadata.name !== name) continue;
      // A pod that was deleted and made anew has two workers for a while: the one that lives is meant.
      if (!found || found.terminating) found = worker;
    }
    return found;
  }

  get nodes(): ReadonlyMap<string, NodeContext> {
    return this.#nodes;
  }

  /** Workers stop; containers run on, for the next agent to adopt. */
  async stop(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.release()));
    this.context?.objects.stop();
    await this.context?.volumes.close();
  }

  /** Ends the containers of all pods and gives back what they hold. The objects in the API stay. */
  async shutdown(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.release()));
    const { cache, volumes } = this.context;
    // The signal first, for those who save something on their way out.
    await Promise.allSettled(
      this.runningContainers().map(([containerId]) => this.#cri.stopContainer({ containerId, timeout: SHUTDOWN_GRACE_SECONDS })),
    );
    await Promise.all([...cache.uids()].map((uid) => this.#endLeftOver(uid)));
    for (const uid of await volumes.known()) await volumes.remove(uid);
    await volumes.close();
    this.context.cgroups?.removeRoot();
  }

  async #runtimeVersion(): Promise<{ runtimeName: string; runtimeVersion: string }> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#cri.version();
      } catch (error) {
        if (attempt === 30 || this.#ctx.signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  #createContext(runtimeName: string, simulated: boolean): AgentContext {
    const { config, pluginDir, log, signal, cluster } = this.#ctx;
    const client = this.#ctx.client();
    const cgroupRoot = config.cgroupRoot ?? '/kubepods';
    const objects = new ReferencedObjects(client, (uid) => this.#workers.get(uid)?.objectChanged());
    const informers = createSharedInformers(client, { signal, log });
    return {
      client,
      cri: this.#cri,
      cache: new RuntimeCache(this.#cri, log, signal, (uid) => this.#runtimeChanged(uid)),
      volumes: simulated ? new SimulatedVolumes() : new HostVolumes(pluginDir),
      images: new ImagePuller(this.#cri, (namespace, name) => objects.secret(namespace, name)),
      objects,
      tokens: new PodTokens(client),
      services: async () => {
        if (simulated) return [];
        const services = informers.get<Service>(SERVICES);
        await services.synced();
        return [...services.list()];
      },
      log,
      signal,
      runtimeName,
      simulated,
      logsDir: config.logsDir ?? join(pluginDir, 'logs'),
      cgroupRoot,
      pods: () => this.pods(),
      cgroups: simulated ? undefined : new PodCgroups(cgroupRoot),
      cluster: { dns: cluster.clusterDNS, domain: cluster.clusterDomain },
      hostDns: simulated ? { servers: [], searches: [], options: [] } : hostDns(),
    };
  }

  #createNode(name: string, agent: AgentContext, runtimeVersion: string): HostedNode {
    const { config } = this.#ctx;
    const hostIPs = [config.nodeIP ?? hostAddress()];
    const inputs = async (): Promise<NodeInputs> => ({
      name,
      config,
      machine: this.#machine,
      addresses: hostIPs,
      runtimeVersion,
      simulated: agent.simulated,
      port: this.#port,
      images: agent.simulated ? [] : await this.#images(),
      notReady: this.#notReady,
    });
    const objectInputs: NodeInputs = {
      name,
      config,
      machine: this.#machine,
      addresses: hostIPs,
      runtimeVersion,
      simulated: agent.simulated,
      port: undefined,
      images: [],
      notReady: undefined,
    };
    const events = config.events ?? (config.nodes ?? 1) <= 10;
    const node: HostedNode = {
      name,
      agent,
      hostIPs,
      allocatable: {},
      memoryBytes: this.#machine.memoryBytes,
      recorder: events ? createEventRecorder(agent.client, { component: 'kubelet', host: name, log: agent.log }) : undefined,
      stored: undefined,
      object: () => nodeObject(objectInputs),
      status: async (stored) => nodeStatus(await inputs(), stored.status?.conditions),
      onStored: (stored) => this.#onNode(node, stored),
    };
    return node;
  }

  #onNode(node: HostedNode, stored: Node): void {
    node.allocatable = stored.status?.allocatable ?? {};
    const memory = quantityValue(stored.status?.capacity?.memory);
    if (memory) node.memoryBytes = memory;
    const podCIDRs = stored.spec?.podCIDRs ?? (stored.spec?.podCIDR ? [stored.spec.podCIDR] : []);
    const wanted = podCIDRs.length ? podCIDRs : this.#ctx.config.podCIDR ? [this.#ctx.config.podCIDR] : [];
    if (wanted.length && !node.agent.simulated) {
      this.#cni
        ?.configure({ podCIDRs: wanted })
        .catch((error: unknown) => this.#ctx.log.error('the pod network could not be configured', { error: messageOf(error) }));
    }
  }

  /** The largest fifty, as the scheduler's image locality wants them. */
  async #images(): Promise<{ names: string[]; sizeBytes: number }[]> {
    const images = await this.#cri.listImages().catch(() => []);
    return images
      .map(({ repoTags, repoDigests, size }) => ({ names: [...repoDigests, ...repoTags].slice(0, 5), sizeBytes: size }))
      .filter(({ names }) => names.length)
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, 50);
  }

  /** Often while the node is not ready: everybody waits for it. */
  async #watchReadiness(): Promise<void> {
    const { signal } = this.#ctx;
    while (!signal.aborted) {
      await sleep(this.#notReady ? 250 : 2_000, signal);
      if (!signal.aborted) await this.#checkReady();
    }
  }

  async #checkReady(): Promise<void> {
    let reason: string | undefined;
    try {
      const { conditions } = await this.#cri.status();
      const bad = conditions.filter(({ status }) => !status);
      if (bad.length)
        reason = bad
          .map(
            ({ type, reason: why, message }) =>
              `container runtime ${type === 'NetworkReady' ? 'network not ready: NetworkReady' : 'status check failed: ' + type}=false reason:${why} message:${message}`,
          )
          .join(', ');
    } catch (error) {
      reason = `container runtime is down: ${messageOf(error)}`;
    }
    if (reason === this.#notReady) return;
    this.#notReady = reason;
    this.#ctx.report(reason ? 'degraded' : 'ok', reason ?? 'the node is ready');
    await this.#heartbeat?.checkStatus();
  }

  async #followPods(): Promise<void> {
    const { signal, log } = this.#ctx;
    const names = [...this.#nodes.keys()];
    const pods = createInformer<Pod>(this.context.client, PODS, {
      fieldSelector: names.length === 1 ? `spec.nodeName=${names[0]}` : 'spec.nodeName!=',
      signal,
      onError: (error, message) => log.warn(message, { error: messageOf(error) }),
      transform: (pod) => {
        delete pod.metadata.managedFields;
        return pod;
      },
    });
    pods.on({
      add: (pod) => this.#onPod(pod),
      update: (pod) => this.#onPod(pod),
      delete: (pod) => {
        this.#over.delete(uidOf(pod));
        this.#workers.get(uidOf(pod))?.remove(pod);
      },
    });
    await pods.synced();
    await this.#endLeftOvers();
  }

  #onPod(pod: Pod): void {
    const node = this.#nodes.get(pod.spec.nodeName ?? '');
    const uid = uidOf(pod);
    if (!node || this.#over.has(uid)) return;
    // As watched objects come without them in a list.
    pod.apiVersion ??= 'v1';
    pod.kind ??= 'Pod';
    const known = this.#workers.get(uid);
    if (known) return known.update(pod);
    const worker = new PodWorker(node, pod, () => {
      this.#workers.delete(uid);
      if (!worker.removed) this.#over.add(uid);
    });
    this.#workers.set(uid, worker);
    worker.kick();
  }

  #runtimeChanged(uid: string): void {
    this.#workers.get(uid)?.kick();
  }

  /** What an earlier life left behind of pods that are no longer there. */
  async #endLeftOvers(): Promise<void> {
    const { cache, volumes, log } = this.context;
    const runtime = [...cache.uids()].filter(
      (uid) => !this.#workers.has(uid) && cache.pod(uid).sandboxes.some(({ labels }) => this.#nodes.has(labels[NODE_NAME] ?? '')),
    );
    const disk = (await volumes.known()).filter((uid) => !this.#workers.has(uid));
    for (const name of await readdir(this.context.logsDir).catch(() => [])) {
      if (!this.#workers.has(name.split('_')[2] ?? '')) await rm(join(this.context.logsDir, name), { recursive: true, force: true });
    }
    for (const uid of new Set([...runtime, ...disk])) {
      await this.#endLeftOver(uid)
        .then(() => volumes.remove(uid))
        .catch((error: unknown) => log.warn('the rest of a pod could not be removed', { uid, error: messageOf(error) }));
    }
  }

  async #endLeftOver(uid: string): Promise<void> {
    for (const { id: podSandboxId } of [...this.context.cache.pod(uid).sandboxes]) {
      await this.#cri.stopPodSandbox({ podSandboxId });
      await this.#cri.removePodSandbox({ podSandboxId });
    }
    this.context.cache.forget(uid);
  }
}

import type {
  ClusterEvent,
  Extensions,
  Gauge,
  Logger,
  MetricsFactory,
  PodInfo,
  PolicyHost,
  QueuedPod,
  Rejection,
  SchedulerPolicy,
} from '@kubernel/sdk';
import { ClusterEvents } from '@kubernel/sdk';
import type { KubeObject, Node, Pod, ResourceRef } from '@kubernel/sdk/api';
import {
  type Client,
  createEventRecorder,
  type EventRecorder,
  type Informer,
  NODES,
  PODS,
  type SharedInformers,
} from '@kubernel/sdk/client';
import { Cluster, isFinished, ParsedPod } from '@kubernel/sdk/scheduling';
import { BindingCycle } from './binding.ts';
import { DEFAULT_PROFILE, type SchedulerConfig } from './config.ts';
import { SchedulingCycle } from './cycle.ts';
import { FailureReporter } from './failure.ts';
import { FilterPhase } from './filter.ts';
import { Framework, PolicyInstances } from './framework.ts';
import { Nominator } from './nominator.ts';
import { SchedulingQueue } from './queue/scheduling-queue.ts';
import { ScorePhase } from './score.ts';
import { HostSelector } from './select.ts';

/** How long scheduling waits for what policies watch besides nodes and pods. */
const POLICY_INFORMERS_MS = 5_000;

/** A burst of pods is bound first and told about afterwards. */
const MAX_EVENTS_WAITING = 10_000;

export interface SchedulerParts {
  client: Client;
  informers: SharedInformers;
  policies: Extensions<SchedulerPolicy>;
  log: Logger;
  metrics?: MetricsFactory;
  signal: AbortSignal;
  /** Milliseconds; for tests. Default Date.now. */
  now?: () => number;
}

/**
 * Puts the parts together: informers feed the cluster and the queue; a loop takes pods from the queue, one after the
 * other, through the scheduling cycle, and lets I/O in every few milliseconds.
 */
export class Scheduler {
  readonly cluster: Cluster;
  readonly queue: SchedulingQueue;
  readonly #frameworks = new Map<string, Framework>();
  readonly #filter: FilterPhase;
  readonly #nominator = new Nominator();
  readonly #binding: BindingCycle;
  readonly #cycle: SchedulingCycle;
  readonly #recorders = new Map<string, EventRecorder>();
  readonly #parts: SchedulerParts;
  readonly #now: () => number;
  readonly #maxBinds: number;
  readonly #sliceMs: number;
  readonly #pending: Gauge | undefined;
  #pendingToldAt = 0;
  #wakeLoop: () => void = () => undefined;
  #started = false;

  constructor(config: SchedulerConfig, parts: SchedulerParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#maxBinds = config.maxBindsInFlight ?? 256;
    this.#sliceMs = config.sliceMs ?? 5;
    this.cluster = new Cluster((event) => this.queue.event(event));
    this.#filter = new FilterPhase(this.cluster, this.#nominator);
    const instances = new PolicyInstances(this.cluster, (id) => this.#hostFor(id));
    for (const profile of config.profiles ?? [DEFAULT_PROFILE]) {
      this.#frameworks.set(profile.schedulerName, new Framework(profile, parts.policies, instances));
    }
    this.queue = new SchedulingQueue(
      this.#now,
      (info) => this.#preEnqueue(info),
      (a, b) => this.#compare(a, b),
      config.queue,
    );
    this.queue.onReady = () => this.#wakeLoop();
    const events = (schedulerName: string) => this.#recorder(schedulerName);
    const failures = new FailureReporter(parts.client, events, parts.log);
    const duration = parts.metrics?.histogram('scheduler_pod_scheduling_sli_duration_seconds', 'From first seen to bound.');
    const attempts = parts.metrics?.counter('scheduler_schedule_attempts_total', 'Attempts to schedule pods.', ['result', 'profile']);
    this.#pending = parts.metrics?.gauge('scheduler_pending_pods', 'Pods without a node.', ['queue']);
    this.#binding = new BindingCycle({
      cluster: this.cluster,
      queue: this.queue,
      failures,
      events,
      log: parts.log,
      onBound: (entry) => duration?.observe({}, (this.#now() - entry.firstSeenAt) / 1000),
    });
    this.#binding.onSettled = () => this.#wakeLoop();
    this.#cycle = new SchedulingCycle({
      cluster: this.cluster,
      queue: this.queue,
      filter: this.#filter,
      score: new ScorePhase(),
      selector: new HostSelector(config.seed ?? Math.floor(Math.random() * 2 ** 32)),
      binding: this.#binding,
      nominator: this.#nominator,
      failures,
      events,
      log: parts.log,
      onAttempt: (result, profile) => attempts?.inc({ result, profile }),
    });
    parts.policies.onChange(() => this.#refresh());
  }

  get bindsInFlight(): number {
    return this.#binding.inFlight;
  }

  /** Starts the informers and, once they have all there is, the loop. */
  async start(): Promise<void> {
    const nodes = this.#parts.informers.get<Node>(NODES, { transform: withoutManagedFields });
    nodes.on({
      add: (node) => this.cluster.putNode(node),
      update: (node) => this.cluster.putNode(node),
      delete: (node) => this.cluster.removeNode(node.metadata.name ?? ''),
    });
    await nodes.synced();
    const pods = this.#parts.informers.get<Pod>(PODS, { transform: withoutManagedFields });
    pods.on({
      add: (pod) => this.podSeen(pod),
      update: (pod, old) => this.podSeen(pod, old),
      delete: (pod) => this.podGone(pod),
    });
    await pods.synced();
    await this.#policiesSynced();
    this.#started = true;
    void this.#loop();
  }

  /** What policies watch may not be served here (no apps group, no right to list): that must not keep pods from nodes. */
  async #policiesSynced(): Promise<void> {
    const { informers, log } = this.#parts;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        log.warn('some of what policies watch is not listed yet; scheduling starts without it');
        resolve();
      }, POLICY_INFORMERS_MS);
    });
    await Promise.race([informers.synced(), late]);
    clearTimeout(timer);
  }

  get started(): boolean {
    return this.#started;
  }

  podSeen(pod: Pod, old?: Pod): void {
    if (old && old.metadata.uid !== pod.metadata.uid) this.podGone(old);
    const uid = pod.metadata.uid ?? `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (pod.spec.nodeName) {
      this.#nominator.delete(uid);
      this.queue.delete(uid);
      this.cluster.see(pod);
      return;
    }
    if (isFinished(pod)) {
      this.podGone(pod);
      return;
    }
    if (!this.#frameworks.has(pod.spec.schedulerName ?? DEFAULT_PROFILE.schedulerName)) return;
    const entry = this.queue.get(uid);
    const info = new ParsedPod(pod, this.cluster.nodes);
    if (this.cluster.placement(uid)) {
      // Its binding is under way; should that fail, the newest is tried.
      this.queue.refresh(info);
      return;
    }
    if (pod.status?.nominatedNodeName && !entry) this.#nominator.set(info, pod.status.nominatedNodeName);
    if (!entry) this.queue.add(info);
    else if (old && onlyStatusDiffers(old, pod)) this.queue.refresh(info);
    else this.queue.update(info);
  }

  podGone(pod: Pod): void {
    const uid = pod.metadata.uid ?? `${pod.metadata.namespace}/${pod.metadata.name}`;
    const hopedFor = this.cluster.nodes.slot(this.#nominator.nodeOf(uid) ?? '');
    this.#nominator.delete(uid);
    this.queue.delete(uid);
    this.cluster.gone(uid);
    // Room that was kept for it is free for others.
    if (hopedFor >= 0) this.queue.event({ events: ClusterEvents.PodGone, node: hopedFor, pod: new ParsedPod(pod, this.cluster.nodes) });
  }

  /** Schedules what is ready, until nothing is, too many bindings are under way, or the slice is used up. True: there may be more. */
  runSlice(): boolean {
    const end = performance.now() + this.#sliceMs;
    while (this.#binding.inFlight < this.#maxBinds) {
      const entry = this.queue.pop();
      if (!entry) return false;
      const framework = this.#frameworkOf(entry.info);
      if (!framework) {
        this.queue.done(entry);
        continue;
      }
      if (framework.refresh()) this.queue.wakeAll();
      this.#cycle.run(framework, entry);
      if (performance.now() >= end) return true;
    }
    return false;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#parts;
    while (!signal.aborted) {
      let woken = false;
      let timer: NodeJS.Timeout | undefined;
      const ready = new Promise<void>((resolve) => {
        this.#wakeLoop = () => {
          woken = true;
          resolve();
        };
      });
      const onAbort = () => this.#wakeLoop();
      signal.addEventListener('abort', onAbort, { once: true });
      const more = this.runSlice();
      this.#tellPending();
      if (more || woken) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      } else {
        const at = this.queue.nextFlushAt();
        if (at !== Number.POSITIVE_INFINITY)
          timer = setTimeout(() => this.#wakeLoop(), Math.max(1, Math.min(at - this.#now(), 2 ** 31 - 1)));
        await ready;
        clearTimeout(timer);
      }
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** At most once a second: the gauges are read every few. */
  #tellPending(): void {
    if (!this.#pending || this.#now() - this.#pendingToldAt < 1_000) return;
    this.#pendingToldAt = this.#now();
    const { active, backoff, waiting, gated } = this.queue.sizes;
    for (const [queue, size] of Object.entries({ active, backoff, unschedulable: waiting, gated })) this.#pending.set({ queue }, size);
  }

  /** The host swapped, added or removed policies. */
  #refresh(): void {
    for (const framework of this.#frameworks.values()) framework.refresh();
    this.queue.reorder((a, b) => this.#compare(a, b));
    this.queue.wakeAll();
  }

  #frameworkOf(info: PodInfo): Framework | undefined {
    return this.#frameworks.get(info.pod.spec.schedulerName ?? DEFAULT_PROFILE.schedulerName);
  }

  #preEnqueue(info: PodInfo): Rejection | undefined {
    return this.#frameworkOf(info)?.preEnqueue(info);
  }

  /** One order for all: the queue is shared, so profiles must agree on QueueSort, and the first one's is taken. */
  #compare(a: QueuedPod, b: QueuedPod): number {
    for (const framework of this.#frameworks.values()) return framework.compare(a, b);
    return 0;
  }

  #recorder(schedulerName: string): EventRecorder {
    let recorder = this.#recorders.get(schedulerName);
    if (!recorder) {
      recorder = createEventRecorder(this.#parts.client, {
        component: schedulerName,
        log: this.#parts.log,
        pace: () => this.#binding.calm(),
        queueLimit: MAX_EVENTS_WAITING,
      });
      this.#recorders.set(schedulerName, recorder);
    }
    return recorder;
  }

  #hostFor(id: string): PolicyHost {
    const { client, informers, log } = this.#parts;
    const framework = (profile: string): Framework => this.#frameworks.get(profile) as Framework;
    return {
      cluster: this.cluster,
      client,
      log,
      informer: <T extends KubeObject>(resource: ResourceRef): Informer<T> => informers.get<T>(resource),
      wake: (event: Partial<ClusterEvent> = {}) => this.queue?.event({ events: ClusterEvents.Other, node: -1, ...event }),
      fits: (cycle, node) => this.#filter.fitsBesideNominated(framework(cycle.profile), cycle, node),
      reasons: (cycle, node) => this.#filter.reasons(framework(cycle.profile), cycle, node),
      simulate: (cycle, node, change, work) => this.#filter.simulate(framework(cycle.profile), cycle, node, change, work),
      nominated: (node) => this.#nominator.on(node, this.cluster.nodes),
      now: this.#now,
      event: (about, type, reason, message) => this.#recorder(id).event(about, type, reason, message),
      activate: (pod) => this.queue.activate(pod.uid),
    };
  }
}

/** Nobody here reads who wrote which field, and it is half of an object. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}

function onlyStatusDiffers(old: Pod, pod: Pod): boolean {
  return (
    JSON.stringify(old.spec) === JSON.stringify(pod.spec) &&
    JSON.stringify(old.metadata.labels) === JSON.stringify(pod.metadata.labels) &&
    JSON.stringify(old.metadata.annotations) === JSON.stringify(pod.metadata.annotations) &&
    old.metadata.deletionTimestamp === pod.metadata.deletionTimestamp
  );
}

import type { Node, Pod } from '../api/kinds/index.ts';
import type { KubeObject, ResourceRef } from '../api/object.ts';
import type { Client } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';
import type { Logger } from '../define.ts';

/**
 * scheduler-policy/v1: a plugin of the scheduling framework
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/), living in the scheduler's isolate.
 *
 * The extension points are upstream's; their shape is not. The scheduler keeps no snapshot: the cluster is a table of nodes
 * in columns ({@link NodeTable}) that changes in place, and everything from PreFilter to Reserve of one pod happens in one
 * turn of the event loop. So a policy
 * - answers for all nodes at once where it can (`filterAll`, `scoreAll`), looping over typed arrays;
 * - keeps counters of its own up to date (`podAdded`, `podRemoved`, `nodeChanged`) instead of recomputing them per pod;
 * - may keep what it computed in `preFilter` in its own fields until `reserve`: cycles never interleave. From `permit` on
 *   many pods are under way at once, and state belongs into {@link PodCycle.state}.
 *
 * "No" is not an error: a policy that rejects returns a verdict or a {@link Rejection}; what it throws is a fault.
 */
export interface SchedulerPolicy {
  /** Upstream's name, as it appears in messages: `NodeResourcesFit`. */
  readonly name: string;
  /** Weight of its score where the profile names none. Default 1. */
  readonly weight?: number;
  /**
   * The policy as one profile uses it. Called when a profile first meets this copy of the policy, with the cluster as it is:
   * whatever is already placed must be counted here (walk `host.cluster`). `args` are the policy's config with the
   * profile's own over it. Profiles with equal args share an instance.
   */
  create(host: PolicyHost, args: Record<string, unknown>): PolicyInstance;
}

/** What a policy does. Each member is optional: the scheduler calls what is there, in upstream's order. */
export interface PolicyInstance {
  /** May the pod enter the active queue at all? */
  preEnqueue?(pod: PodInfo): Rejection | undefined;
  /** QueueSort: negative when `a` is to be tried before `b`. One policy per profile list has it. */
  compare?(a: QueuedPod, b: QueuedPod): number;
  /** Events after which a pod this policy rejected may fit. Undefined: any event. */
  readonly events?: readonly EventInterest[];

  /** Once per pod. May reject it on every node, narrow the nodes, or say that the filter has nothing to do (`skip`). */
  preFilter?(cycle: PodCycle): PreFilterResult | undefined;
  /** Called for single nodes, also under {@link PolicyHost.simulate}. Required with `filterAll`. */
  filter?(cycle: PodCycle, node: number): Verdict;
  /**
   * For every slot whose verdict is 0: leave it 0, or write `mark` (Unschedulable) or `mark + 1` (UnschedulableAndUnresolvable:
   * preemption cannot help). Slots with another value were rejected before and must keep it.
   */
  filterAll?(cycle: PodCycle, verdicts: Uint8Array, mark: number): void;
  /** Why `filter` rejects this node: upstream's reasons, worded as upstream. Only asked for when no node fits. */
  reasons?(cycle: PodCycle, node: number): readonly string[];
  /** No node fits: can something be done about it (preemption)? */
  postFilter?(cycle: PodCycle, diagnosis: Diagnosis): PostFilterResult | undefined;

  /** `skip`: this policy scores nothing for this pod. `nodes` are the feasible slots; owned by the caller. */
  preScore?(cycle: PodCycle, nodes: Int32Array): 'skip' | undefined;
  score?(cycle: PodCycle, node: number): number;
  /** `scores[k]` is the score of `nodes[k]`. Whole numbers; 0..100 after `normalize`. Preferred over `score`. */
  scoreAll?(cycle: PodCycle, nodes: Int32Array, scores: Float64Array): void;
  normalize?(cycle: PodCycle, nodes: Int32Array, scores: Float64Array): void;

  reserve?(cycle: PodCycle, node: number): Rejection | undefined;
  /** Undoes `reserve`, also when `reserve` of this policy was not reached. Must not throw. */
  unreserve?(cycle: PodCycle, node: number): void;
  /** A promise holds the pod back (Permit `wait`) while others are scheduled. */
  permit?(cycle: PodCycle, node: number): Rejection | undefined | Promise<Rejection | undefined>;
  preBind?(cycle: PodCycle, node: number): Promise<Rejection | undefined>;
  /** Writes the binding; `skip` leaves it to the next policy. Throws when the API refuses. */
  bind?(cycle: PodCycle, node: number): Promise<'bound' | 'skip'>;
  postBind?(cycle: PodCycle, node: number): void;

  /** A pod was placed on the node, assumed or seen. Under a simulation too: it is taken back before the turn ends. */
  podAdded?(pod: PodInfo, node: number): void;
  podRemoved?(pod: PodInfo, node: number): void;
  /** The node in this slot is new or changed in these ways ({@link NodeChange}). Its pods are those of `cluster.pods(node)`. */
  nodeChanged?(node: number, changes: number): void;
  /** Before the slot is emptied. Its pods were removed before. */
  nodeRemoved?(node: number): void;
  /** The profile no longer uses this instance. */
  dispose?(): void;
}

/** 0: the node passes. */
export type Verdict = 0 | 1 | 2;
export const PASS = 0;
export const UNSCHEDULABLE = 1;
/** Removing pods from the node would not help. */
export const UNRESOLVABLE = 2;

/** A pod turned away, with the reasons a person reads. */
export interface Rejection {
  /** `Unschedulable` waits for an event; `UnschedulableAndUnresolvable` too, and preemption is not tried. */
  code: 'Unschedulable' | 'UnschedulableAndUnresolvable';
  reasons: readonly string[];
}

export interface PreFilterResult {
  reject?: Rejection;
  /** The filter of this policy passes every node: don't call it. */
  skip?: boolean;
  /** Only these slots can fit (a pod bound to a node by name). */
  nodes?: readonly number[];
}

export interface PostFilterResult {
  /** Node the pod hopes for, once its victims are gone. `''` clears an earlier one; undefined leaves it. */
  nominatedNode?: string;
  /** Pods of lower priority that hoped for that node: they have to look elsewhere. */
  unnominate?: readonly PodInfo[];
  /** Text after the FitError: `preemption: 0/3 nodes are available: …`. */
  message?: string;
}

/** Why no node fits. */
export interface Diagnosis {
  /** Nodes of the cluster. */
  readonly nodeCount: number;
  /** Slots rejected in a way that removing pods may resolve. */
  resolvable(): Int32Array;
  /** Set when a preFilter rejected the pod on every node. */
  readonly rejection: Rejection | undefined;
}

/** One attempt to schedule one pod. */
export interface PodCycle {
  readonly pod: PodInfo;
  readonly profile: string;
  /** State that outlives the turn (from Permit on). */
  readonly state: Map<unknown, unknown>;
}

/** Requests as parallel arrays of column and amount; only what is not zero. `pods: 1` is among them. */
export interface ResourceVector {
  readonly columns: readonly number[];
  readonly amounts: readonly number[];
}

/** A pod as the scheduler sees it: parsed once. */
export interface PodInfo {
  /** The latest object. Never change it. */
  readonly pod: Pod;
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  /** The effective request (init containers, sidecars, overhead, resize): what is taken from the node. */
  readonly requests: ResourceVector;
  /** For scoring: a container without a request counts 100m. */
  readonly nonZeroMilliCpu: number;
  /** For scoring: a container without a request counts 200 MiB. */
  readonly nonZeroMemory: number;
  /** Has a deletionTimestamp. */
  readonly terminating: boolean;
}

export interface QueuedPod {
  readonly info: PodInfo;
  /** When it entered the queue, in milliseconds. */
  readonly queuedAt: number;
  readonly attempts: number;
}

/** What changed about a node. Bits. */
export const NodeChange = {
  Added: 1,
  Labels: 2,
  Taints: 4,
  Allocatable: 8,
  Conditions: 16,
  Annotations: 32,
  Images: 64,
  Any: 127,
} as const;

/** What happened in the cluster. Bits. */
export const ClusterEvents = {
  NodeAdded: 1,
  NodeRemoved: 2,
  NodeLabels: 4,
  NodeTaints: 8,
  NodeAllocatable: 16,
  NodeConditions: 32,
  NodeAnnotations: 64,
  /** A pod was placed on a node. */
  PodPlaced: 128,
  /** A placed pod is gone, or its assumption was taken back. */
  PodGone: 256,
  PodLabels: 512,
  /** A placed pod's requests shrank. */
  PodScaledDown: 1024,
  /** Something a policy watches itself and reports with {@link PolicyHost.wake}. */
  Other: 2048,
} as const;

export interface EventInterest {
  /** {@link ClusterEvents}, or-ed. */
  events: number;
  /** Queueing hint: false when this event cannot make the pod fit. Missing: it always may. */
  hint?(pod: PodInfo, event: ClusterEvent): boolean;
}

export interface ClusterEvent {
  /** {@link ClusterEvents}, or-ed. */
  events: number;
  /** Slot of the node it is about, or -1. */
  node: number;
  /** The placed pod it is about, as it is now (or was, when gone). */
  pod?: PodInfo;
}

/** Placed pods and nodes. */
export interface ClusterView {
  readonly nodes: NodeTable;
  /** Pods placed on the node in this slot. */
  pods(node: number): ReadonlySet<PodInfo>;
}

/** Columns every node has. Further resources get theirs when a node or a pod first names them. */
export const CPU = 0;
export const MEMORY = 1;
export const EPHEMERAL_STORAGE = 2;
export const PODS = 3;

/**
 * The nodes, in columns. A node keeps its slot while it lives; an empty slot has `live[i] === 0` and stale values.
 * Arrays are replaced when the table grows: read them from the table in each call. Never write to them.
 */
export interface NodeTable {
  /** Slots in use are below this. */
  readonly size: number;
  /** Nodes there are. */
  readonly count: number;
  readonly live: Uint8Array;
  readonly allocatable: readonly Float64Array[];
  readonly requested: readonly Float64Array[];
  readonly nonZeroMilliCpu: Float64Array;
  readonly nonZeroMemory: Float64Array;
  /** Column of a resource, made when it is new. cpu counts in thousandths, all others in units. */
  resource(name: string): number;
  resourceName(column: number): string;
  node(slot: number): Node;
  name(slot: number): string;
  /** -1 when there is none. */
  slot(name: string): number;
  /**
   * A column computed from each node alone, kept up to date by the scheduler whenever the node changes in one of `changes`.
   * Equal keys share a column; columns that were not asked for in a while are dropped. Ask again on each use.
   */
  derive(key: string, changes: number, compute: (node: Node, slot: number) => number): Int32Array;
  /** Ids of a label's values, in each slot; see {@link LabelColumn}. */
  label(key: string): LabelColumn;
}

/** Values of one label key, interned: `ids[slot]` is 0 where the node lacks the label. */
export interface LabelColumn {
  readonly key: string;
  readonly ids: Int32Array;
  /** Ids are below this. */
  readonly size: number;
  value(id: number): string | undefined;
  /** 0 when no node has had this value. */
  id(value: string): number;
}

/** What a policy is lent. */
export interface PolicyHost {
  readonly cluster: ClusterView;
  readonly client: Client;
  readonly log: Logger;
  /** A shared informer, started on first use. The scheduler waits for it before it schedules. */
  informer<T extends KubeObject>(resource: ResourceRef): Informer<T>;
  /** Something the policy watches itself changed: look at the pods it rejected again. */
  wake(event?: Partial<ClusterEvent>): void;
  /** Filters of the profile on one node, for the pod in its current cycle: 0 when it fits, also beside the pods nominated there. */
  fits(cycle: PodCycle, node: number): Verdict;
  /** Reasons of the filter that rejects this node. */
  reasons(cycle: PodCycle, node: number): readonly string[];
  /** Takes pods off their node or puts pods on it, runs `work`, and puts all back. Synchronous; may be nested. */
  simulate<T>(cycle: PodCycle, node: number, change: { remove?: readonly PodInfo[]; add?: readonly PodInfo[] }, work: () => T): T;
  /** Pods nominated to a node (they wait for their victims to go). */
  nominated(node: number): readonly PodInfo[];
  /** Milliseconds; the scheduler's clock. */
  now(): number;
  /** Records an Event about an object. */
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Tries a waiting pod again at once, without backoff. */
  activate(pod: PodInfo): void;
}

import type { Node, Pod } from '../api/index.ts';
import { type ClusterEvent, ClusterEvents, type ClusterView, NodeChange, type PodInfo } from '../roles/scheduler-policy.ts';
import { Nodes } from './nodes.ts';
import { countsDifferently, isFinished, ParsedPod } from './pod-info.ts';

/** What keeps counters of placed pods and nodes: a policy instance. */
export interface ClusterListener {
  podAdded?(pod: PodInfo, node: number): void;
  podRemoved?(pod: PodInfo, node: number): void;
  nodeChanged?(node: number, changes: number): void;
  nodeRemoved?(node: number): void;
}

interface Placement {
  info: PodInfo;
  nodeName: string;
  /** Decided here, not yet seen from the API. */
  assumed: boolean;
}

const NO_PODS: ReadonlySet<PodInfo> = new Set();

/**
 * Nodes and the pods placed on them, changed in place: by what informers see, and by decisions that the API has not yet
 * confirmed (assumed pods). A pod on a node that is not known waits for the node.
 */
export class Cluster implements ClusterView {
  readonly nodes = new Nodes();
  #pods: Set<PodInfo>[] = [];
  #placements = new Map<string, Placement>();
  /** Node name -> uids of pods placed there while the node is unknown. */
  #orphans = new Map<string, Set<string>>();
  #listeners = new Set<ClusterListener>();
  #onEvent: (event: ClusterEvent) => void;

  /** `onEvent` hears what might make an unschedulable pod fit. */
  constructor(onEvent: (event: ClusterEvent) => void = () => undefined) {
    this.#onEvent = onEvent;
  }

  pods(node: number): ReadonlySet<PodInfo> {
    return this.#pods[node] ?? NO_PODS;
  }

  get placedCount(): number {
    return this.#placements.size;
  }

  /** The pod as placed (assumed or seen), and where. */
  placement(uid: string): { info: PodInfo; node: number; assumed: boolean } | undefined {
    const placement = this.#placements.get(uid);
    return placement && { info: placement.info, node: this.nodes.slot(placement.nodeName), assumed: placement.assumed };
  }

  /** Counts a decision before the API has confirmed it. */
  assume(info: PodInfo, node: number): void {
    this.#placements.set(info.uid, { info, nodeName: this.nodes.name(node), assumed: true });
    this.attach(info, node);
  }

  /** Takes a decision back. False when it was confirmed, or the pod is gone: then there is nothing to take back. */
  forget(uid: string): boolean {
    const placement = this.#placements.get(uid);
    if (!placement?.assumed) return false;
    this.#unplace(uid, placement);
    return true;
  }

  /** A pod with a node, as an informer sees it. */
  see(pod: Pod): void {
    const uid = pod.metadata.uid ?? `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (isFinished(pod)) {
      this.gone(uid);
      return;
    }
    const nodeName = pod.spec.nodeName ?? '';
    const placement = this.#placements.get(uid);
    if (!placement) {
      this.#place(new ParsedPod(pod, this.nodes), nodeName);
      return;
    }
    const confirmed = placement.assumed;
    placement.assumed = false;
    if (placement.nodeName !== nodeName) {
      // Someone else bound it elsewhere: the API is right.
      this.#unplace(uid, placement);
      this.#place(new ParsedPod(pod, this.nodes), nodeName);
    } else if (countsDifferently(placement.info, pod)) {
      this.#recount(placement, pod);
    } else {
      (placement.info as ParsedPod).pod = pod;
      if (confirmed) this.#onEvent({ events: ClusterEvents.PodPlaced, node: this.nodes.slot(nodeName), pod: placement.info });
    }
  }

  /** The pod was deleted or has finished. */
  gone(uid: string): void {
    const placement = this.#placements.get(uid);
    if (placement) this.#unplace(uid, placement);
  }

  putNode(node: Node): void {
    const { slot, changes } = this.nodes.put(node);
    if (changes === 0) return;
    if (changes & NodeChange.Added) this.#pods[slot] = new Set();
    for (const listener of this.#listeners) listener.nodeChanged?.(slot, changes);
    if (changes & NodeChange.Added) this.#adoptOrphans(this.nodes.name(slot), slot);
    const events = eventsOf(changes);
    if (events) this.#onEvent({ events, node: slot });
  }

  removeNode(name: string): void {
    const slot = this.nodes.slot(name);
    if (slot < 0) return;
    const left = new Set<string>();
    for (const info of this.pods(slot)) {
      this.detach(info, slot);
      left.add(info.uid);
    }
    if (left.size) this.#orphans.set(name, left);
    for (const listener of this.#listeners) listener.nodeRemoved?.(slot);
    this.nodes.remove(slot);
    this.#onEvent({ events: ClusterEvents.NodeRemoved, node: -1 });
  }

  /** Adds the pod to the node's columns and counters. Alone it is half of a simulation; else {@link assume} and {@link see}. */
  attach(info: PodInfo, node: number): void {
    (this.#pods[node] as Set<PodInfo>).add(info);
    this.nodes.charge(node, info, 1);
    for (const listener of this.#listeners) listener.podAdded?.(info, node);
  }

  detach(info: PodInfo, node: number): void {
    if (!(this.#pods[node] as Set<PodInfo>).delete(info)) return;
    this.nodes.charge(node, info, -1);
    for (const listener of this.#listeners) listener.podRemoved?.(info, node);
  }

  listen(listener: ClusterListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #place(info: PodInfo, nodeName: string): void {
    this.#placements.set(info.uid, { info, nodeName, assumed: false });
    const node = this.nodes.slot(nodeName);
    if (node < 0) {
      let waiting = this.#orphans.get(nodeName);
      if (!waiting) this.#orphans.set(nodeName, (waiting = new Set()));
      waiting.add(info.uid);
      return;
    }
    this.attach(info, node);
    this.#onEvent({ events: ClusterEvents.PodPlaced, node, pod: info });
  }

  #unplace(uid: string, placement: Placement): void {
    this.#placements.delete(uid);
    const node = this.nodes.slot(placement.nodeName);
    if (node >= 0) this.detach(placement.info, node);
    const waiting = this.#orphans.get(placement.nodeName);
    if (waiting?.delete(uid) && waiting.size === 0) this.#orphans.delete(placement.nodeName);
    this.#onEvent({ events: ClusterEvents.PodGone, node, pod: placement.info });
  }

  #recount(placement: Placement, pod: Pod): void {
    const old = placement.info;
    const info = new ParsedPod(pod, this.nodes);
    placement.info = info;
    const node = this.nodes.slot(placement.nodeName);
    if (node < 0) return;
    this.detach(old, node);
    this.attach(info, node);
    let events = 0;
    if (JSON.stringify(old.labels) !== JSON.stringify(info.labels)) events |= ClusterEvents.PodLabels;
    if (shrank(old, info)) events |= ClusterEvents.PodScaledDown;
    if (info.terminating !== old.terminating) events |= ClusterEvents.PodPlaced;
    if (events) this.#onEvent({ events, node, pod: info });
  }

  #adoptOrphans(name: string, slot: number): void {
    const waiting = this.#orphans.get(name);
    if (!waiting) return;
    this.#orphans.delete(name);
    for (const uid of waiting) {
      const placement = this.#placements.get(uid);
      if (placement) this.attach(placement.info, slot);
    }
  }
}

function shrank(old: PodInfo, now: PodInfo): boolean {
  return old.requests.columns.some((column, i) => {
    const at = now.requests.columns.indexOf(column);
    return at < 0 || (now.requests.amounts[at] as number) < (old.requests.amounts[i] as number);
  });
}

function eventsOf(changes: number): number {
  if (changes & NodeChange.Added) return ClusterEvents.NodeAdded;
  let events = 0;
  if (changes & NodeChange.Labels) events |= ClusterEvents.NodeLabels;
  if (changes & NodeChange.Taints) events |= ClusterEvents.NodeTaints;
  if (changes & NodeChange.Allocatable) events |= ClusterEvents.NodeAllocatable;
  if (changes & NodeChange.Conditions) events |= ClusterEvents.NodeConditions;
  if (changes & NodeChange.Annotations) events |= ClusterEvents.NodeAnnotations;
  return events;
}

import { type ClusterEvent, ClusterEvents, type PodInfo, type PolicyInstance, type QueuedPod, type Rejection } from '@kubernel/sdk';
import { Heap } from './heap.ts';

export interface QueueOptions {
  /** First wait after a failed attempt, in milliseconds; doubled with each further one. Default 1,000. */
  initialBackoffMs?: number;
  /** Default 10,000. */
  maxBackoffMs?: number;
  /** A pod that no event woke is tried again after this many milliseconds. Default 300,000. */
  unschedulableTimeoutMs?: number;
}

export type QueuePlace = 'gated' | 'active' | 'backoff' | 'waiting' | 'in flight';

/** A pod that wants a node. */
export class QueueEntry implements QueuedPod {
  info: PodInfo;
  queuedAt: number;
  /** When it was first seen, for the scheduling duration. */
  readonly firstSeenAt: number;
  attempts = 0;
  /** Attempts that found no node, and those that broke, since the last of the other kind: they set the backoff. */
  unschedulableCount = 0;
  errorCount = 0;
  place: QueuePlace = 'active';
  backoffUntil = 0;
  /** Sits its backoff out, even when nothing else is to be done. */
  patient = false;
  /** Policies that turned it away in the last attempt; empty: it broke, any event may help. */
  rejectedBy: readonly PolicyInstance[] = [];
  /** Events the queue had seen when the attempt began. */
  eventsAtStart = 0;
  heapIndex = -1;

  constructor(info: PodInfo, now: number) {
    this.info = info;
    this.queuedAt = now;
    this.firstSeenAt = now;
  }
}

/**
 * Pods without a node: `active` ones are tried in the order of the QueueSort policy; `backoff` ones have failed and wait
 * 1-10 s (but are tried early when nothing else is active, unless they broke); `waiting` ones found no node, and wait for an
 * event that a policy which rejected them says may help; `gated` ones are held back by PreEnqueue.
 * KEP-4247 (queueing hints), KEP-5142 (pop from backoff).
 */
export class SchedulingQueue {
  readonly #entries = new Map<string, QueueEntry>();
  readonly #active: Heap<QueueEntry>;
  readonly #backoff = new Heap<QueueEntry>((a, b) => a.backoffUntil - b.backoffUntil);
  readonly #waiting = new Set<QueueEntry>();
  readonly #gated = new Set<QueueEntry>();
  readonly #now: () => number;
  readonly #options: Required<QueueOptions>;
  readonly #preEnqueue: (info: PodInfo) => Rejection | undefined;
  #events = 0;
  /** Called when there may be something to pop. */
  onReady: () => void = () => undefined;

  constructor(
    now: () => number,
    preEnqueue: (info: PodInfo) => Rejection | undefined,
    compare: (a: QueuedPod, b: QueuedPod) => number,
    options: QueueOptions = {},
  ) {
    this.#now = now;
    this.#preEnqueue = preEnqueue;
    this.#active = new Heap<QueueEntry>(compare);
    this.#options = { initialBackoffMs: 1_000, maxBackoffMs: 10_000, unschedulableTimeoutMs: 300_000, ...options };
  }

  get sizes(): Record<'active' | 'backoff' | 'waiting' | 'gated', number> {
    return { active: this.#active.size, backoff: this.#backoff.size, waiting: this.#waiting.size, gated: this.#gated.size };
  }

  get(uid: string): QueueEntry | undefined {
    return this.#entries.get(uid);
  }

  add(info: PodInfo): void {
    if (this.#entries.has(info.uid)) {
      this.update(info);
      return;
    }
    const entry = new QueueEntry(info, this.#now());
    this.#entries.set(info.uid, entry);
    this.#enqueue(entry);
  }

  /** The pod itself changed in something other than status: whatever rejected it may think differently now. */
  update(info: PodInfo): void {
    const entry = this.#entries.get(info.uid);
    if (!entry) return;
    const resort = entry.place === 'active' && entry.info.priority !== info.priority;
    entry.info = info;
    if (entry.place === 'gated') {
      this.#gated.delete(entry);
      this.#enqueue(entry);
    } else if (entry.place === 'waiting') {
      this.#wake(entry);
    } else if (resort) {
      this.#active.remove(entry);
      this.#active.push(entry);
    }
  }

  /** Only the object changed, not what decides: keep the newest. */
  refresh(info: PodInfo): void {
    const entry = this.#entries.get(info.uid);
    if (entry) entry.info = info;
  }

  delete(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#entries.delete(uid);
    this.#leave(entry);
  }

  /** The next pod to try, or undefined. It stays known (`in flight`) until {@link done} or {@link requeue}. */
  pop(): QueueEntry | undefined {
    this.flush();
    let entry = this.#active.pop();
    if (!entry) {
      const waiting = this.#backoff.peek();
      if (waiting && !waiting.patient) entry = this.#backoff.pop();
    }
    if (!entry) return undefined;
    entry.place = 'in flight';
    entry.attempts++;
    entry.eventsAtStart = this.#events;
    return entry;
  }

  /** It has its node. */
  done(entry: QueueEntry): void {
    if (this.#entries.get(entry.info.uid) === entry) this.#entries.delete(entry.info.uid);
  }

  /** The attempt failed: rejected by these policies (`late`: after its node was found), or (`broken`) something went wrong. */
  requeue(entry: QueueEntry, outcome: { rejectedBy: readonly PolicyInstance[]; late?: boolean } | 'broken'): void {
    if (this.#entries.get(entry.info.uid) !== entry || entry.place !== 'in flight') return;
    const now = this.#now();
    entry.queuedAt = now;
    entry.patient = outcome === 'broken' || outcome.late === true;
    if (outcome === 'broken') {
      entry.errorCount++;
      entry.rejectedBy = [];
    } else {
      entry.errorCount = 0;
      entry.unschedulableCount++;
      entry.rejectedBy = outcome.rejectedBy;
    }
    const failures = entry.errorCount || entry.unschedulableCount;
    entry.backoffUntil = now + Math.min(this.#options.initialBackoffMs * 2 ** (failures - 1), this.#options.maxBackoffMs);
    if (outcome === 'broken' || entry.eventsAtStart !== this.#events) {
      this.#toBackoff(entry);
    } else {
      entry.place = 'waiting';
      this.#waiting.add(entry);
    }
  }

  /** Something happened: pods whose rejecting policies see a chance are tried again (after their backoff). */
  event(event: ClusterEvent): void {
    this.#events++;
    for (const entry of this.#waiting) {
      if (mayHelp(entry, event)) this.#wake(entry);
    }
    if (event.events & ClusterEvents.Other) this.#recheckGated();
  }

  /** All that wait are tried again: a policy was swapped. */
  wakeAll(): void {
    this.#events++;
    for (const entry of this.#waiting) this.#wake(entry);
    this.#recheckGated();
  }

  /** Straight to the active queue, without backoff (a victim's place became free for it, a Permit partner came). */
  activate(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry || (entry.place !== 'waiting' && entry.place !== 'backoff')) return;
    this.#leave(entry);
    this.#enqueue(entry);
  }

  /** The order of the active queue changed: another QueueSort policy. */
  reorder(compare: (a: QueuedPod, b: QueuedPod) => number): void {
    this.#active.reorder(compare);
  }

  /** Moves what has waited long enough. */
  flush(): void {
    const now = this.#now();
    for (let entry = this.#backoff.peek(); entry && entry.backoffUntil <= now; entry = this.#backoff.peek()) {
      this.#backoff.pop();
      this.#enqueue(entry);
    }
    // Sets keep their order: the first has waited longest.
    for (const entry of this.#waiting) {
      if (now - entry.queuedAt < this.#options.unschedulableTimeoutMs) break;
      this.#wake(entry);
    }
  }

  /** When {@link flush} has work next, on the queue's clock; Infinity: never. */
  nextFlushAt(): number {
    const [oldest] = this.#waiting;
    return Math.min(
      this.#backoff.peek()?.backoffUntil ?? Number.POSITIVE_INFINITY,
      oldest ? oldest.queuedAt + this.#options.unschedulableTimeoutMs : Number.POSITIVE_INFINITY,
    );
  }

  #enqueue(entry: QueueEntry): void {
    if (this.#preEnqueue(entry.info)) {
      entry.place = 'gated';
      this.#gated.add(entry);
      return;
    }
    entry.place = 'active';
    this.#active.push(entry);
    this.onReady();
  }

  #wake(entry: QueueEntry): void {
    this.#waiting.delete(entry);
    if (entry.backoffUntil > this.#now()) this.#toBackoff(entry);
    else this.#enqueue(entry);
  }

  #toBackoff(entry: QueueEntry): void {
    entry.place = 'backoff';
    this.#backoff.push(entry);
    this.onReady();
  }

  #leave(entry: QueueEntry): void {
    if (entry.place === 'active') this.#active.remove(entry);
    else if (entry.place === 'backoff') this.#backoff.remove(entry);
    else if (entry.place === 'waiting') this.#waiting.delete(entry);
    else if (entry.place === 'gated') this.#gated.delete(entry);
  }

  #recheckGated(): void {
    for (const entry of this.#gated) {
      if (this.#preEnqueue(entry.info)) continue;
      this.#gated.delete(entry);
      this.#enqueue(entry);
    }
  }
}

function mayHelp(entry: QueueEntry, event: ClusterEvent): boolean {
  if (entry.rejectedBy.length === 0) return true;
  for (const policy of entry.rejectedBy) {
    if (policy.events === undefined) return true;
    for (const interest of policy.events) {
      if ((interest.events & event.events) !== 0 && (interest.hint === undefined || interest.hint(entry.info, event))) return true;
    }
  }
  return false;
}

import type { CoreEvent, ObjectReference } from '../api/kinds/core.ts';
import type { KubeObject } from '../api/object.ts';
import type { Logger } from '../define.ts';
import { statusCode } from '../errors.ts';
import type { Client } from './client.ts';
import { timestamp } from './conditions.ts';
import { isNamespaceTerminating, isNotFound } from './errors.ts';
import { EVENTS } from './resources.ts';

export type EventType = 'Normal' | 'Warning';

/** Writes Events about objects: what `kubectl describe` shows at its end. Never throws and is never waited for. */
export interface EventRecorder {
  /** `object` needs apiVersion, kind and metadata; `message` at most 1024 bytes (it is cut). */
  event(object: KubeObject, type: EventType, reason: string, message: string): void;
  /** Resolves when what was recorded so far is written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  /** `deployment-controller`: who says it. */
  component: string;
  /** The node, for those that run on one. */
  host?: string;
  log?: Logger;
  now?: () => number;
  /** Awaited before each write, by those who have more urgent ones. */
  pace?: () => Promise<void> | undefined;
  /** Events that may wait to be written; more are dropped. Default 1,000. */
  queueLimit?: number;
}

/** How many of one kind within the interval are told one by one; what follows is told as one event that counts. */
const MAX_SIMILAR = 10;
const SIMILAR_INTERVAL_MS = 600_000;
/** Events of one source about one object: so many at once, then one every five minutes. */
const OBJECT_BURST = 25;
const OBJECT_INTERVAL_MS = 300_000;
const CACHE_ENTRIES = 4096;
const QUEUE_LIMIT = 1000;
const COMBINED_PREFIX = '(combined from similar events): ';

interface Seen {
  name: string;
  namespace: string;
  count: number;
  firstTimestamp: string;
}

/**
 * Repeats of an event raise the count of the first one; many alike are combined; one object cannot flood the API. The
 * limits are those of client-go's correlator, so event lists look as people know them.
 */
export function createEventRecorder(client: Client, options: EventRecorderOptions): EventRecorder {
  const now = options.now ?? Date.now;
  const similar = new RecentMap<{ messages: Set<string>; last: number }>();
  const seen = new RecentMap<Seen>();
  const budgets = new RecentMap<{ tokens: number; at: number }>();
  const queue: (() => Promise<void>)[] = [];
  let draining: Promise<void> | undefined;
  let lastStamp = 0;

  function record(object: KubeObject, type: EventType, reason: string, text: string): void {
    const at = now();
    const involvedObject = reference(object);
    const namespace = involvedObject.namespace ?? 'default';
    const { kind, name: objectName, uid, apiVersion, fieldPath = '' } = involvedObject;
    const objectId = [kind, involvedObject.namespace, objectName, uid, apiVersion, fieldPath].join('/');
    const groupKey = [objectId, type, reason].join('|');

    const group = similar.get(groupKey);
    const messages = group && at - group.last <= SIMILAR_INTERVAL_MS ? group.messages : new Set<string>();
    if (messages.size < MAX_SIMILAR) messages.add(text);
    similar.set(groupKey, { messages, last: at });
    const combined = messages.size >= MAX_SIMILAR;
    const message = truncated(combined ? COMBINED_PREFIX + text : text);

    if (!takeToken(budgets, objectId, at)) return;

    const key = combined ? `${groupKey}|combined` : `${groupKey}|${text}`;
    const stamp = timestamp(at);
    const before = seen.get(key);
    // Names as client-go makes them: nanoseconds in hex, here of a clock that never stands still.
    if (!before) lastStamp = Math.max(lastStamp + 1, at * 1000);
    const entry = before ?? {
      name: `${involvedObject.name ?? ''}.${(BigInt(lastStamp) * 1000n).toString(16)}`,
      namespace,
      count: 0,
      firstTimestamp: stamp,
    };
    entry.count++;
    seen.set(key, entry);
    const event: CoreEvent = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: entry.name, namespace },
      involvedObject,
      reason,
      message,
      source: { component: options.component, ...(options.host ? { host: options.host } : {}) },
      firstTimestamp: entry.firstTimestamp,
      lastTimestamp: stamp,
      count: entry.count,
      type,
      reportingComponent: options.component,
      reportingInstance: options.host ?? '',
    };
    push(before ? () => repeat(event) : () => create(event));
  }

  async function create(event: CoreEvent): Promise<void> {
    await client.create(EVENTS, event);
  }

  async function repeat(event: CoreEvent): Promise<void> {
    const { name = '', namespace = '' } = event.metadata;
    const { message, count, lastTimestamp } = event;
    try {
      await client.patch(EVENTS, name, { type: 'merge', patch: { message, count, lastTimestamp } }, { namespace });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // Expired after its hour: the object is made anew, and the count goes on.
      await create(event);
    }
  }

  function push(write: () => Promise<void>): void {
    if (queue.length >= (options.queueLimit ?? QUEUE_LIMIT)) return;
    queue.push(write);
    draining ??= drain().finally(() => {
      draining = undefined;
    });
  }

  /** One at a time: events must not compete with the writes they tell about. */
  async function drain(): Promise<void> {
    // After the work that the event is about.
    await new Promise((resolve) => setImmediate(resolve));
    for (let write = queue.shift(); write; write = queue.shift()) {
      try {
        await options.pace?.();
        await write();
      } catch (error) {
        if (isNamespaceTerminating(error) || statusCode(error) === 404) continue;
        options.log?.debug('an event was not written', { error: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  return {
    event: record,
    async flush() {
      while (draining) await draining;
    },
  };
}

/** An object's `fieldPath`, where a caller added one (`spec.containers{web}`), says which part of it is meant. */
export function reference(object: KubeObject): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const { fieldPath } = object;
  return {
    ...(object.kind ? { kind: object.kind } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(uid ? { uid } : {}),
    ...(object.apiVersion ? { apiVersion: object.apiVersion } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(typeof fieldPath === 'string' ? { fieldPath } : {}),
  };
}

function takeToken(budgets: RecentMap<{ tokens: number; at: number }>, key: string, now: number): boolean {
  const budget = budgets.get(key) ?? { tokens: OBJECT_BURST, at: now };
  budget.tokens = Math.min(OBJECT_BURST, budget.tokens + (now - budget.at) / OBJECT_INTERVAL_MS);
  budget.at = now;
  budgets.set(key, budget);
  if (budget.tokens < 1) return false;
  budget.tokens--;
  return true;
}

function truncated(message: string): string {
  const bytes = Buffer.from(message);
  return bytes.length <= 1024
    ? message
    : bytes
        .subarray(0, 1021)
        .toString('utf8')
        .replace(/\uFFFD+$/, '') + '...';
}

/** Forgets what was used longest ago beyond a number of entries. */
class RecentMap<V> {
  readonly #map = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.#map.get(key);
    if (value !== undefined) {
      this.#map.delete(key);
      this.#map.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size > CACHE_ENTRIES) {
      for (const oldest of this.#map.keys()) {
        this.#map.delete(oldest);
        break;
      }
    }
  }
}

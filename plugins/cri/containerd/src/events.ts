import type { ContainerEvent } from '@kubernel/sdk';
import type { Connection } from './connection.ts';
import { fromGrpc } from './errors.ts';

interface Envelope {
  timestamp: { seconds: number; nanos: number } | null;
  topic: string;
  event: { value: Uint8Array } | null;
}
interface CriEvent {
  containerId: string;
  containerEventType: ContainerEvent['type'];
  createdAt: number;
}

const TOPICS: Readonly<Record<string, ContainerEvent['type']>> = {
  '/tasks/create': 'CONTAINER_CREATED_EVENT',
  '/tasks/start': 'CONTAINER_STARTED_EVENT',
  '/tasks/exit': 'CONTAINER_STOPPED_EVENT',
  '/tasks/delete': 'CONTAINER_DELETED_EVENT',
};

/**
 * Events of containers and sandboxes. containerd's own event service is asked first: CRI's GetContainerEvents came with
 * containerd 1.7, and Debian 12 has 1.6. Another runtime does not know that service and is asked the CRI way.
 */
export async function* containerEvents(connection: Connection): AsyncGenerator<ContainerEvent> {
  try {
    yield* containerdEvents(connection);
  } catch (error) {
    const wrapped = fromGrpc('events', error);
    if (wrapped.code !== 'ERR_CRI_UNIMPLEMENTED') throw wrapped;
    const stream = connection.stream('runtime', 'getContainerEvents');
    try {
      for await (const item of stream as AsyncIterable<CriEvent>) {
        yield { containerId: item.containerId, type: item.containerEventType, createdAt: item.createdAt };
      }
    } catch (criError) {
      throw fromGrpc('events', criError);
    } finally {
      stream.cancel();
    }
  }
}

async function* containerdEvents(connection: Connection): AsyncGenerator<ContainerEvent> {
  const filters = Object.keys(TOPICS).map((topic) => `namespace=="k8s.io",topic=="${topic}"`);
  const stream = connection.stream('events', 'subscribe', { filters });
  try {
    for await (const item of stream as AsyncIterable<Envelope>) {
      const type = TOPICS[item.topic];
      if (!type || !item.event) continue;
      const { containerId, id } = taskEvent(item.event.value);
      // An exec's end is not the container's.
      if (id && id !== containerId) continue;
      yield { containerId, type, createdAt: item.timestamp ? item.timestamp.seconds * 1e9 + item.timestamp.nanos : Date.now() * 1e6 };
    }
  } finally {
    stream.cancel();
  }
}

/**
 * The first two strings of containerd's task events: field 1 is the container in each; field 2, where it is a string, is
 * what ended (in start and create it is a number or a path). Both lead the message, so the rest is not looked at.
 */
export function taskEvent(bytes: Uint8Array): { containerId: string; id: string } {
  const result = { containerId: '', id: '' };
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    if ((tag & 7) !== 2 || tag >> 3 > 2) break;
    const length = bytes[at++]!;
    if (length > 127) break;
    const text = Buffer.from(bytes.subarray(at, at + length)).toString();
    at += length;
    if (tag >> 3 === 1) result.containerId = text;
    else if (!text.includes('/')) result.id = text;
  }
  return result;
}

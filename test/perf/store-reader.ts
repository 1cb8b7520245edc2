import { type MessagePort, workerData } from 'node:worker_threads';
import { ROLES, type Store } from '@kubernel/sdk';
import { Channel, type Port, remote } from '@kubernel/sdk/rpc';

/** A subscriber in an isolate of its own, as the API server is one: reads events until it has them all. */
const { port, total } = workerData as { port: MessagePort; total: number };
const channel = new Channel(port as unknown as Port);
const store = remote<Store>('store', ROLES['store/v1'].streams, async () => channel);
let seen = 0;
for await (const message of store.subscribe({ prefix: '', from: 0 })) {
  if (message.type === 'events') seen += message.events.keys.length;
  if (seen >= total) break;
}
await channel.call('bench', 'done', []);
channel.close();

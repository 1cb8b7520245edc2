import { MessageChannel } from 'node:worker_threads';
import { IsolateRuntime } from '@kubernel/sdk/isolate';
import { Channel, type Port } from '@kubernel/sdk/rpc';
import { controlOver, type Isolate, type IsolateOptions } from './isolate.ts';

/** The kernel's own thread, for embedding, tests and debuggers. A plugin that hangs here hangs the kernel. */
export function startInline({ name, host }: IsolateOptions): Isolate {
  const { port1, port2 } = new MessageChannel();
  const { channel, service, accept } = controlOver(port1 as unknown as Port, host);
  new IsolateRuntime(new Channel(port2 as unknown as Port));
  let reason = 'its port closed';
  return {
    name,
    kind: 'inline',
    service,
    accept,
    ended: new Promise((resolve) => channel.onClose(() => resolve(reason))),
    async terminate(why) {
      reason = why;
      channel.close();
    },
  };
}

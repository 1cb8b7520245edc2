import { IsolateRuntime } from '@kubernel/sdk/isolate';
import { Channel } from '@kubernel/sdk/rpc';
import { ProcessPorts } from './process-ports.ts';

/** What the child process of a `process` isolate runs. */
const ports = new ProcessPorts({
  send: (message) => void process.send?.(message),
  onMessage: (listener) => void process.on('message', listener),
  onClose: (listener) => void process.on('disconnect', listener),
});
const channel = new Channel(ports.main);
new IsolateRuntime(channel);
// The kernel is gone: nothing this process holds is worth keeping.
channel.onClose(() => process.exit(0));

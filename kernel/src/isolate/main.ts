import { IsolateRuntime } from '@kubernel/sdk/isolate';
import { Channel, type Port } from '@kubernel/sdk/rpc';

export interface IsolateTask {
  port: Port;
}

/** What an isolate's thread runs (as a Piscina task): serves the host until the port closes. */
export default function serveIsolate({ port }: IsolateTask): Promise<void> {
  const channel = new Channel(port);
  new IsolateRuntime(channel);
  return new Promise((resolve) => channel.onClose(resolve));
}

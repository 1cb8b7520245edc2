import type { IsolateKind } from '@kubernel/sdk';
import type { HostControl, IsolateService } from '@kubernel/sdk/isolate';
import { Channel, type Port, remote } from '@kubernel/sdk/rpc';

/** Where plugins run, seen from the host. It lives once: a restart makes a new one. */
export interface Isolate {
  readonly name: string;
  readonly kind: IsolateKind;
  readonly service: IsolateService;
  /** Moves a port to plugin `id`, with a consumer at its far end. */
  accept(id: string, consumer: Parameters<IsolateService['accept']>[1], port: Port): Promise<void>;
  /** Resolves with the reason when it ends, by itself or by terminate. */
  readonly ended: Promise<string>;
  terminate(reason: string): Promise<void>;
}

export interface IsolateOptions {
  name: string;
  heapMb: number | undefined;
  /** What the isolate may ask the host. */
  host: HostControl;
}

/** The part that is the same for every kind: the control channel over a port. */
export function controlOver(port: Port, host: HostControl): { channel: Channel; service: IsolateService; accept: Isolate['accept'] } {
  const channel = new Channel(port);
  channel.serve('host', host);
  return {
    channel,
    service: remote<IsolateService>('isolate', [], async () => channel),
    accept: async (id, consumer, moved) => void (await channel.call('isolate', 'accept', [id, consumer, moved], { transfer: [moved] })),
  };
}

import { MessageChannel } from 'node:worker_threads';
import { type Consumer, ROLES, type RoleName } from '@kubernel/sdk';
import { Channel, type Port, remote } from '@kubernel/sdk/rpc';
import { roleUnavailable } from '../errors.ts';
import { isUp, type Plugin } from './plugin.ts';
import type { PluginSpec } from './resolve.ts';

/** How long a caller waits for a provider that is starting, in milliseconds. */
const CONNECT_PATIENCE_MS = 2_000;

export interface BrokerOptions {
  plugins(): Iterable<Plugin>;
  /** Calls back once, at the next change of any plugin. */
  once(listener: () => void): void;
  /** What the kernel itself serves. */
  kernelServices: Partial<Record<RoleName, object>>;
}

/**
 * Ties consumers to providers: each gets a port of its own, whose far end is with the provider and carries the consumer's
 * identity. When a provider goes away its ports close, and the consumer's handle asks for another at the next call.
 */
export class Broker {
  readonly #options: BrokerOptions;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** A handle to whoever provides the role. @throws (from its calls) ERR_ROLE_UNAVAILABLE while nobody does. */
  use<T extends object>(role: RoleName, consumer: Consumer): T {
    return remote<T>(role, ROLES[role].streams, async () => {
      const provider = await this.#provider(role, undefined);
      const { port1, port2 } = new MessageChannel();
      await deliver(provider, consumer, port2 as unknown as Port);
      return new Channel(port1 as unknown as Port);
    });
  }

  /** A port to the provider of a role, for a plugin. */
  async connect(from: PluginSpec, role: RoleName, name: string | undefined): Promise<Port> {
    const own = this.#options.kernelServices[role];
    const provider = own ? undefined : await this.#provider(role, name);
    const { port1, port2 } = new MessageChannel();
    if (own) new Channel(port2 as unknown as Port).serve(role, own);
    else await deliver(provider as Plugin, consumerOf(from), port2 as unknown as Port);
    return port1 as unknown as Port;
  }

  async #provider(role: RoleName, name: string | undefined): Promise<Plugin> {
    const deadline = Date.now() + CONNECT_PATIENCE_MS;
    for (;;) {
      const candidate = [...this.#options.plugins()].find(({ spec }) => spec.role === role && (name === undefined || spec.name === name));
      if (!candidate) throw roleUnavailable(role, 'the config names no such plugin');
      if (isUp(candidate)) return candidate;
      const left = deadline - Date.now();
      if (left <= 0)
        throw roleUnavailable(role, `${candidate.spec.id} is ${candidate.state}${candidate.reason ? ` (${candidate.reason})` : ''}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#options.once(() => (clearTimeout(timer), resolve()));
      });
    }
  }
}

async function deliver(provider: Plugin, consumer: Consumer, port: Port): Promise<void> {
  await (await provider.slot.open()).accept(provider.spec.id, consumer, port);
}

function consumerOf(spec: PluginSpec): Consumer {
  return {
    id: spec.id,
    user: { name: `system:plugin:${spec.id}`, groups: ['system:plugins', 'system:authenticated'] },
    rules: spec.permissions,
  };
}

import { KubernelError } from '../errors.ts';
import type { Channel } from './channel.ts';

/**
 * A service on the other side of a channel as an object with the role's methods. `connect` is asked for a channel when
 * there is none or when the last one closed, so that the object outlives restarts of the provider: calls made while
 * it is down fail with what `connect` throws (ERR_ROLE_UNAVAILABLE), later ones work again.
 *
 * An AbortSignal as last argument cancels the call; it does not travel.
 */
export function remote<T extends object>(service: string, streams: readonly string[], connect: () => Promise<Channel>, timeoutMs = 0): T {
  let channel: Promise<Channel> | undefined;
  const open = (): Promise<Channel> => {
    channel ??= connect().then(
      (opened) => {
        opened.onClose(() => (channel = undefined));
        return opened;
      },
      (error: unknown) => {
        channel = undefined;
        throw error;
      },
    );
    return channel;
  };

  const methods = new Map<string, unknown>();
  const method = (name: string): unknown => {
    if (streams.includes(name)) return (...args: unknown[]) => lazyStream(open, service, name, args);
    return async (...args: unknown[]) => {
      const signal = takeSignal(args);
      const opened = await open();
      return opened.call(service, name, args, { ...(signal ? { signal } : {}), timeoutMs });
    };
  };
  return new Proxy({} as T, {
    get(_target, name) {
      // A promise resolving to this proxy must not take it for a thenable.
      if (typeof name !== 'string' || name === 'then') return undefined;
      let found = methods.get(name);
      if (!found) methods.set(name, (found = method(name)));
      return found;
    },
    set() {
      throw new KubernelError('ERR_READ_ONLY', `${service} is a remote service; it has no fields to set`);
    },
  });
}

async function* lazyStream(open: () => Promise<Channel>, service: string, method: string, args: unknown[]): AsyncIterable<unknown> {
  const signal = takeSignal(args);
  const channel = await open();
  yield* channel.stream(service, method, args, signal ? { signal } : {});
}

function takeSignal(args: unknown[]): AbortSignal | undefined {
  return args.at(-1) instanceof AbortSignal ? (args.pop() as AbortSignal) : undefined;
}

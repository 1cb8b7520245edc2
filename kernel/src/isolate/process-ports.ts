import { EventEmitter } from 'node:events';
import type { Port } from '@kubernel/sdk/rpc';

/** A child process's IPC pipe, seen from either end. */
export interface Pipe {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
}

type Frame = [port: number, kind: 'm', message: unknown, ports: [path: (string | number)[], port: number][]] | [port: number, kind: 'c'];

/**
 * Many ports over one pipe. A MessagePort cannot travel to another process, so where a message carries one (an
 * argument or a result of a call), a virtual port takes its place, and messages are passed on between the two.
 */
export class ProcessPorts {
  readonly #pipe: Pipe;
  readonly #ports = new Map<number, VirtualPort>();
  /** Each end numbers the ports it opens; the far end's are negative here. */
  #next = 1;
  readonly main: Port;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
    this.main = this.#open(0);
    pipe.onMessage((frame) => this.#receive(frame as Frame));
    pipe.onClose(() => {
      for (const port of this.#ports.values()) port.closed();
    });
  }

  #open(number: number): VirtualPort {
    const port = new VirtualPort({
      post: (message, transfer) => this.#post(number, message, transfer),
      close: () => {
        this.#ports.delete(number);
        this.#pipe.send([number, 'c'] satisfies Frame);
      },
    });
    this.#ports.set(number, port);
    return port;
  }

  #post(number: number, message: unknown, transfer: readonly unknown[]): void {
    const moved: [(string | number)[], number][] = [];
    const plain =
      transfer.length > 0 ? replacePorts(message, transfer, [], (path, port) => moved.push([path, this.#bridge(port)])) : message;
    this.#pipe.send([number, 'm', plain, moved] satisfies Frame);
  }

  /** Ties a real port to a new virtual one. */
  #bridge(real: Port): number {
    const number = this.#next++;
    const virtual = this.#open(number);
    real.on('message', (message) => virtual.postMessage(message));
    real.on('close', () => virtual.close());
    virtual.on('message', (message) => real.postMessage(message));
    virtual.on('close', () => real.close());
    return number;
  }

  #receive(frame: Frame): void {
    const number = frame[0] === 0 ? 0 : -frame[0];
    if (frame[1] === 'c') {
      const port = this.#ports.get(number);
      this.#ports.delete(number);
      port?.closed();
      return;
    }
    let message = frame[2];
    for (const [path, far] of frame[3]) message = withValue(message, path, this.#open(-far));
    this.#ports.get(number)?.received(message);
  }
}

interface Outlet {
  post(message: unknown, transfer: readonly unknown[]): void;
  close(): void;
}

class VirtualPort extends EventEmitter implements Port {
  readonly #outlet: Outlet;
  #early: unknown[] | undefined = [];
  #isClosed = false;

  constructor(outlet: Outlet) {
    super();
    this.#outlet = outlet;
    this.on('newListener', (event) => {
      if (event === 'message') queueMicrotask(() => this.#flush());
    });
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    if (!this.#isClosed) this.#outlet.post(message, transfer);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#outlet.close();
    this.closed();
  }

  /** The far end closed, or the pipe did. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit('close');
  }

  received(message: unknown): void {
    if (this.#early) this.#early.push(message);
    else this.emit('message', message);
  }

  #flush(): void {
    const early = this.#early;
    this.#early = undefined;
    for (const message of early ?? []) this.emit('message', message);
  }
}

function replacePorts(
  value: unknown,
  transfer: readonly unknown[],
  path: (string | number)[],
  found: (path: (string | number)[], port: Port) => void,
): unknown {
  if (transfer.includes(value)) {
    found(path, value as Port);
    return null;
  }
  if (Array.isArray(value)) return value.map((item, i) => replacePorts(item, transfer, [...path, i], found));
  return value;
}

function withValue(message: unknown, path: readonly (string | number)[], value: unknown): unknown {
  if (path.length === 0) return value;
  let at = message as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  at[path.at(-1) as string | number] = value;
  return message;
}

/**
 * What a channel needs of a transport. A worker's or an inline MessagePort is one as it is; a child process's IPC is
 * wrapped into one by the host.
 */
export interface Port {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  close(): void;
  /** Whether the port keeps its thread alive. */
  ref?(): void;
  unref?(): void;
}

const TRANSFER = Symbol('kubernel.transfer');

/** A result with objects (MessagePorts) to move rather than copy: `return transferring(port, [port])`. */
export interface Transferring<T> {
  [TRANSFER]: readonly unknown[];
  value: T;
}

export function transferring<T>(value: T, transfer: readonly unknown[]): Transferring<T> {
  return { [TRANSFER]: transfer, value };
}

export function isTransferring(value: unknown): value is Transferring<unknown> {
  return typeof value === 'object' && value !== null && TRANSFER in value;
}

export function transferList(value: Transferring<unknown>): readonly unknown[] {
  return value[TRANSFER];
}

import { fromWireError, KubernelError, toWireError, type WireError } from '../errors.ts';
import { isTransferring, type Port, transferList } from './port.ts';

/** Stream items that may be under way before the reader asks for more. Items are batches, so a few keep a pipe full. */
const STREAM_CREDIT = 16;

/**
 * Calls and streams between two ends of a port, in both directions at once.
 *
 * A message is an array whose first element says what it is; arrays clone cheaper than objects with names.
 *
 *     call    [CALL, id, service, method, args]        -> [RESULT, id, value] | [ERROR, id, error]
 *     stream  [STREAM, id, service, method, args]      -> [ITEM, id, value]… then [RESULT, id] | [ERROR, id, error]
 *     credit  [CREDIT, id, items]                      the reader took this many items
 *     cancel  [CANCEL, id]                             the caller lost interest
 *     notify  [NOTIFY, service, method, args]          no answer, and no error either
 *
 * A method that can be cancelled asks for {@link callSignal} before its first await; a stream's iterator is also returned.
 */
const CALL = 0;
const STREAM = 1;
const RESULT = 2;
const ERROR = 3;
const ITEM = 4;
const CREDIT = 5;
const CANCEL = 6;
const NOTIFY = 7;

type Message =
  | [typeof CALL | typeof STREAM, number, string, string, unknown[]]
  | [typeof RESULT | typeof ITEM, number, unknown]
  | [typeof ERROR, number, WireError]
  | [typeof CREDIT, number, number]
  | [typeof CANCEL, number]
  | [typeof NOTIFY, string, string, unknown[]];

interface PendingCall {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Serving {
  abort: AbortController;
  credit: number;
  /** Wakes the sender of a stream that waits for credit. */
  wake: (() => void) | undefined;
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Milliseconds until the call fails with ERR_CALL_TIMEOUT; 0 or undefined: never. */
  timeoutMs?: number;
  /** Objects in the arguments to move rather than copy. */
  transfer?: readonly unknown[];
}

type Service = object;

const NEVER = new AbortController().signal;

export class Channel {
  readonly #port: Port;
  readonly #services = new Map<string, Service>();
  readonly #calls = new Map<number, PendingCall>();
  readonly #streams = new Map<number, StreamReader>();
  readonly #serving = new Map<number, Serving>();
  readonly #onClose = new Set<() => void>();
  #nextId = 1;
  #closed = false;

  constructor(port: Port) {
    this.#port = port;
    port.on('message', (message) => this.#receive(message as Message));
    port.on('close', () => this.#closeAll());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls to `service` reach `target`'s methods (own or inherited, never Object's). */
  serve(service: string, target: Service): void {
    this.#services.set(service, target);
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#onClose.add(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#port.close();
    this.#closeAll();
  }

  /** Errors of the other side come back with their code; ERR_CHANNEL_CLOSED when it went away first. */
  call(service: string, method: string, args: unknown[], options: CallOptions = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(closedError(service, method));
    if (options.signal?.aborted) return Promise.reject(abortReason(options.signal));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        this.#calls.delete(id);
        this.#send([CANCEL, id]);
        clearTimeout(timer);
        reject(abortReason(options.signal as AbortSignal));
      };
      const finish = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
      };
      this.#calls.set(id, {
        resolve: (value) => (finish(), resolve(value)),
        reject: (error) => (finish(), reject(error)),
      });
      options.signal?.addEventListener('abort', onAbort, { once: true });
      if (options.timeoutMs) {
        timer = setTimeout(() => {
          if (!this.#calls.delete(id)) return;
          this.#send([CANCEL, id]);
          finish();
          reject(new KubernelError('ERR_CALL_TIMEOUT', `${service}.${method} gave no answer in ${options.timeoutMs} ms`));
        }, options.timeoutMs);
      }
      try {
        this.#port.postMessage([CALL, id, service, method, args], options.transfer);
      } catch (error) {
        this.#calls.delete(id);
        finish();
        reject(error as Error);
      }
    });
  }

  /** Tells without asking: nothing comes back, and nothing is thrown when the other side is gone. */
  notify(service: string, method: string, args: unknown[]): void {
    this.#send([NOTIFY, service, method, args]);
  }

  /** Leaving the loop early (break, throw, abort) cancels the stream at its source. */
  stream(service: string, method: string, args: unknown[], options: CallOptions = {}): AsyncIterable<unknown> {
    return {
      [Symbol.asyncIterator]: () => {
        const id = this.#nextId++;
        const reader = new StreamReader({
          took: (items) => this.#send([CREDIT, id, items]),
          cancel: () => {
            if (this.#streams.delete(id)) this.#send([CANCEL, id]);
          },
        });
        if (this.#closed) {
          reader.fail(closedError(service, method));
          return reader;
        }
        this.#streams.set(id, reader);
        options.signal?.addEventListener(
          'abort',
          () => {
            reader.fail(abortReason(options.signal as AbortSignal));
            if (this.#streams.delete(id)) this.#send([CANCEL, id]);
          },
          { once: true },
        );
        try {
          this.#port.postMessage([STREAM, id, service, method, args], options.transfer);
        } catch (error) {
          this.#streams.delete(id);
          reader.fail(error as Error);
        }
        return reader;
      },
    };
  }

  #send(message: Message): void {
    if (!this.#closed) this.#port.postMessage(message);
  }

  #receive(message: Message): void {
    switch (message[0]) {
      case CALL:
        void this.#serveCall(message[1], message[2], message[3], message[4]);
        return;
      case STREAM:
        void this.#serveStream(message[1], message[2], message[3], message[4]);
        return;
      case RESULT:
        this.#settle(
          message[1],
          (call) => call.resolve(message[2]),
          (stream) => stream.end(),
        );
        return;
      case ERROR:
        this.#settle(
          message[1],
          (call) => call.reject(fromWireError(message[2])),
          (stream) => stream.fail(fromWireError(message[2])),
        );
        return;
      case ITEM:
        this.#streams.get(message[1])?.push(message[2]);
        return;
      case CREDIT: {
        const serving = this.#serving.get(message[1]);
        if (!serving) return;
        serving.credit += message[2];
        serving.wake?.();
        return;
      }
      case NOTIFY:
        try {
          this.#invoke(message[1], message[2], message[3], NEVER);
        } catch {
          // The caller did not ask for an answer.
        }
        return;
      case CANCEL: {
        const serving = this.#serving.get(message[1]);
        serving?.abort.abort(new KubernelError('ERR_CANCELLED', 'the caller cancelled'));
        serving?.wake?.();
      }
    }
  }

  #settle(id: number, onCall: (call: PendingCall) => void, onStream: (stream: StreamReader) => void): void {
    const call = this.#calls.get(id);
    if (call) {
      this.#calls.delete(id);
      onCall(call);
      return;
    }
    const stream = this.#streams.get(id);
    if (stream) {
      this.#streams.delete(id);
      onStream(stream);
    }
  }

  async #serveCall(id: number, service: string, method: string, args: unknown[]): Promise<void> {
    const serving = this.#begin(id);
    try {
      const value = await this.#invoke(service, method, args, serving.abort.signal);
      if (isTransferring(value)) this.#port.postMessage([RESULT, id, value.value], transferList(value));
      else this.#send([RESULT, id, value]);
    } catch (error) {
      this.#send([ERROR, id, toWireError(error)]);
    } finally {
      this.#serving.delete(id);
    }
  }

  async #serveStream(id: number, service: string, method: string, args: unknown[]): Promise<void> {
    const serving = this.#begin(id);
    const { signal } = serving.abort;
    try {
      const items = this.#invoke(service, method, args, signal) as AsyncIterable<unknown>;
      const iterator = items[Symbol.asyncIterator]();
      // A source that waits for its next item must still notice the cancellation: return() ends it.
      signal.addEventListener('abort', () => void iterator.return?.(undefined)?.catch?.(() => {}), { once: true });
      for (;;) {
        const { done, value } = await iterator.next();
        if (done || signal.aborted) break;
        this.#send([ITEM, id, value]);
        serving.credit--;
        if (serving.credit <= 0) await new Promise<void>((resolve) => (serving.wake = resolve));
        if (signal.aborted) break;
      }
      this.#send([RESULT, id, undefined]);
    } catch (error) {
      this.#send([ERROR, id, toWireError(error)]);
    } finally {
      this.#serving.delete(id);
    }
  }

  #begin(id: number): Serving {
    const serving: Serving = { abort: new AbortController(), credit: STREAM_CREDIT, wake: undefined };
    this.#serving.set(id, serving);
    return serving;
  }

  #invoke(service: string, method: string, args: unknown[], signal: AbortSignal): unknown {
    const run = this.#method(service, method);
    currentSignal = signal;
    try {
      return run(...args);
    } finally {
      currentSignal = undefined;
    }
  }

  #method(service: string, method: string): (...args: unknown[]) => unknown {
    const target = this.#services.get(service) as Record<string, unknown> | undefined;
    if (!target) throw new KubernelError('ERR_NO_SUCH_SERVICE', `nothing here serves ${service}`);
    const found = method in Object.prototype ? undefined : target[method];
    if (typeof found !== 'function') {
      throw new KubernelError('ERR_NO_SUCH_METHOD', `${service} has no method ${method}`, {
        hint: 'the two sides may have different versions of the role',
      });
    }
    return found.bind(target) as (...args: unknown[]) => unknown;
  }

  #closeAll(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#calls.values()) call.reject(closedError('channel', 'call'));
    for (const stream of this.#streams.values()) stream.fail(closedError('channel', 'stream'));
    for (const serving of this.#serving.values()) {
      serving.abort.abort(closedError('channel', 'serve'));
      serving.wake?.();
    }
    this.#calls.clear();
    this.#streams.clear();
    for (const listener of this.#onClose) listener();
    this.#onClose.clear();
  }
}

let currentSignal: AbortSignal | undefined;

/**
 * The signal of the call that is being served: it aborts when the caller cancels or goes away. To be asked in the
 * synchronous beginning of a method; undefined elsewhere and in calls that came without a channel.
 */
export function callSignal(): AbortSignal | undefined {
  return currentSignal;
}

interface StreamSource {
  took(items: number): void;
  cancel(): void;
}

/** The reading end of a stream: items wait here until they are asked for. */
class StreamReader implements AsyncIterator<unknown> {
  readonly #source: StreamSource;
  readonly #items: unknown[] = [];
  #taken = 0;
  #ended = false;
  #error: Error | undefined;
  #waiting: { resolve(result: IteratorResult<unknown>): void; reject(error: Error): void } | undefined;

  constructor(source: StreamSource) {
    this.#source = source;
  }

  push(item: unknown): void {
    if (this.#waiting) {
      this.#waiting.resolve({ done: false, value: item });
      this.#waiting = undefined;
      this.#took();
    } else {
      this.#items.push(item);
    }
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  fail(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#waiting) this.#waiting.reject(error);
    else this.#error = error;
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#items.length > 0) {
      this.#took();
      return Promise.resolve({ done: false, value: this.#items.shift() });
    }
    if (this.#error) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#source.cancel();
    this.#items.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #took(): void {
    if (++this.#taken < STREAM_CREDIT / 2) return;
    this.#source.took(this.#taken);
    this.#taken = 0;
  }
}

function closedError(service: string, method: string): KubernelError {
  return new KubernelError('ERR_CHANNEL_CLOSED', `${service}.${method}: the other side is gone`);
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new KubernelError('ERR_CANCELLED', String(signal.reason));
}

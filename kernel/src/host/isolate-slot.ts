import type { IsolateKind } from '@kubernel/sdk';
import type { HostControl, IsolateService } from '@kubernel/sdk/isolate';
import { CrashHistory } from './backoff.ts';
import { startInline } from './isolates/inline.ts';
import type { Isolate, IsolateOptions } from './isolates/isolate.ts';
import { startProcess } from './isolates/process.ts';

/** An isolate that gives no heartbeat for this long is ended, in milliseconds. */
const UNRESPONSIVE_MS = 10_000;
const HEARTBEAT_MS = 1_000;

export interface SlotEvents {
  /** The isolate ended without being asked. */
  crashed(slot: IsolateSlot, reason: string): void;
}

/** A named place for an isolate: it outlives the isolates that come and go in it, and counts their crashes. */
export class IsolateSlot {
  readonly name: string;
  readonly kind: IsolateKind;
  readonly heapMb: number | undefined;
  readonly history = new CrashHistory();
  heapBytes = 0;
  /** Share of one core over the last heartbeat. */
  cpu = 0;
  readonly #host: HostControl;
  readonly #events: SlotEvents;
  #current: Promise<Isolate> | undefined;
  #stopping = false;

  constructor(name: string, kind: IsolateKind, heapMb: number | undefined, host: HostControl, events: SlotEvents) {
    this.name = name;
    this.kind = kind;
    this.heapMb = heapMb;
    this.#host = host;
    this.#events = events;
  }

  /** The running isolate, started when there is none. */
  open(): Promise<Isolate> {
    this.#current ??= this.#start();
    return this.#current;
  }

  get running(): boolean {
    return this.#current !== undefined;
  }

  async service(): Promise<IsolateService> {
    return (await this.open()).service;
  }

  async close(reason: string): Promise<void> {
    const current = this.#current;
    if (!current) return;
    this.#stopping = true;
    try {
      await (await current).terminate(reason);
    } finally {
      this.#current = undefined;
      this.#stopping = false;
    }
  }

  async #start(): Promise<Isolate> {
    const options: IsolateOptions = { name: this.name, heapMb: this.heapMb, host: this.#host };
    const isolate = await starters[this.kind](options);
    const beat = this.kind === 'inline' ? undefined : this.#watchPulse(isolate);
    void isolate.ended.then((reason) => {
      clearInterval(beat);
      this.#current = undefined;
      this.heapBytes = 0;
      this.cpu = 0;
      if (!this.#stopping) this.#events.crashed(this, reason);
    });
    return isolate;
  }

  #watchPulse(isolate: Isolate): NodeJS.Timeout {
    let answered = Date.now();
    let waiting = false;
    let last: { at: number; cpuMicros: number } | undefined;
    const beat = setInterval(() => {
      if (Date.now() - answered > UNRESPONSIVE_MS) {
        clearInterval(beat);
        void isolate.terminate(`unresponsive: no heartbeat for ${UNRESPONSIVE_MS / 1000} s`).then(() => {});
        return;
      }
      if (waiting) return;
      waiting = true;
      // heartbeat() is remote, whatever its type says: the answer takes as long as the isolate's event loop.
      Promise.resolve(isolate.service.heartbeat()).then(
        ({ heapBytes, cpuMicros }) => {
          waiting = false;
          answered = Date.now();
          this.heapBytes = heapBytes;
          if (last) this.cpu = Math.max(0, (cpuMicros - last.cpuMicros) / 1000 / Math.max(1, answered - last.at));
          last = { at: answered, cpuMicros };
        },
        () => (waiting = false),
      );
    }, HEARTBEAT_MS);
    beat.unref();
    return beat;
  }
}

/** Piscina is imported only where there are threads: an embedder that runs everything inline does not load it. */
const starters: Record<IsolateKind, (options: IsolateOptions) => Promise<Isolate> | Isolate> = {
  thread: async (options) => (await import('./isolates/thread.ts')).startThread(options),
  process: startProcess,
  inline: startInline,
};

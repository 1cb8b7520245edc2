import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A heap that has grown by less than this, or by less than an eighth, since it was last collected is left alone, in bytes. */
const WORTHWHILE_BYTES = 4 << 20;
/** Collecting a larger heap would hold up a request that comes just then for too long: that is left to V8, which does it in steps. */
const LARGEST_BYTES = 384 << 20;
/** This many quiet looks in a row make an isolate idle. */
const QUIET_LOOKS = 3;
/** Share of one core below which the time since the last look was quiet. */
const QUIET_CPU = 0.02;
/** At most this share of the time is spent collecting, so that hardly anything to do does not become something to do. */
const COLLECTING_SHARE = 0.01;

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * Gives an isolate's garbage back to the machine once there is nothing else to do. V8 collects when a heap fills up, so
 * one that went idle would keep the litter of its start, or of its last burst, for as long as it stays idle.
 */
export class IdleCollector {
  #quiet = 0;
  #settledBytes = 0;
  #cpuMicros = 0;
  #lookedAt = 0;
  #notBefore = 0;
  #collect: Collect | undefined;

  /** To be called about once a second, with the CPU time of the thread so far, in microseconds. Stops the thread when it collects. */
  look(cpuMicros: number): void {
    const now = performance.now();
    const busy = (cpuMicros - this.#cpuMicros) / 1000 / (now - this.#lookedAt);
    this.#cpuMicros = cpuMicros;
    this.#lookedAt = now;
    this.#quiet = busy < QUIET_CPU ? this.#quiet + 1 : 0;
    if (this.#quiet < QUIET_LOOKS || now < this.#notBefore) return;
    const bytes = committedBytes();
    if (bytes > LARGEST_BYTES || bytes < this.#settledBytes + Math.max(WORTHWHILE_BYTES, this.#settledBytes / 8)) return;
    this.#collect ??= exposeCollector();
    this.#collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    this.#settledBytes = committedBytes();
    this.#notBefore = now + (performance.now() - now) / COLLECTING_SHARE;
  }
}

function committedBytes(): number {
  const { total_heap_size, external_memory } = getHeapStatistics();
  return total_heap_size + external_memory;
}

/** The flag counts for contexts made after it, hence the new one: the plugins' own globals stay as they were. */
function exposeCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}

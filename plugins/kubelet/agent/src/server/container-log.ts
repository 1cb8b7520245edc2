import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface LogOptions {
  follow: boolean;
  /** Undefined: all. */
  tailLines: number | undefined;
  limitBytes: number | undefined;
  /** Milliseconds since 1970. */
  since: number | undefined;
  timestamps: boolean;
  stream: 'stdout' | 'stderr' | undefined;
}

const CHUNK = 64 * 1024;
/** A change that the watcher missed is seen this much later. */
const POLL_MS = 500;

/**
 * A container's log as it was written, from the runtime's log file (`time stream tag text`, tag P for a part of a long line).
 * Following ends when the container has, and goes on in the new file when the log is rotated.
 */
export async function* containerLog(
  file: string,
  options: LogOptions,
  hasEnded: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const format = new Formatter(options);
  let handle = await open(file, 'r');
  let watcher: FSWatcher | undefined;
  try {
    let at = options.tailLines === undefined ? 0 : await tailStart(handle, options.tailLines);
    let rest = Buffer.alloc(0);
    for (;;) {
      // Asked before reading: what was written before the end is then surely read.
      const ended = hasEnded();
      for (;;) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, at);
        if (!bytesRead) break;
        at += bytesRead;
        const data = rest.length ? Buffer.concat([rest, buffer.subarray(0, bytesRead)]) : buffer.subarray(0, bytesRead);
        const lineEnd = data.lastIndexOf(10) + 1;
        rest = Buffer.from(data.subarray(lineEnd));
        const text = format.lines(data.subarray(0, lineEnd));
        if (text.length) yield text;
        if (format.full || signal.aborted) return;
      }
      if (!options.follow || signal.aborted) return;
      if (await isRotated(handle, file)) {
        await handle.close();
        handle = await open(file, 'r');
        at = 0;
        rest = Buffer.alloc(0);
        continue;
      }
      if (ended) return;
      watcher ??= watch(dirname(file));
      await change(watcher, signal);
    }
  } finally {
    watcher?.close();
    await handle.close().catch(() => {});
  }
}

function change(watcher: FSWatcher, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      watcher.off('change', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, POLL_MS);
    watcher.once('change', done);
    watcher.on('error', () => {});
    signal.addEventListener('abort', done, { once: true });
  });
}

async function isRotated(handle: FileHandle, file: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all([handle.stat(), stat(file).catch(() => undefined)]);
  return theirs !== undefined && theirs.ino !== ours.ino;
}

/** Where the last `count` lines begin. */
async function tailStart(handle: FileHandle, count: number): Promise<number> {
  const { size } = await handle.stat();
  if (count === 0) return size;
  let found = 0;
  for (let end = size; end > 0; end -= CHUNK) {
    const start = Math.max(0, end - CHUNK);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (buffer[i] !== 10 || start + i === size - 1) continue;
      if (++found === count) return start + i + 1;
    }
  }
  return 0;
}

class Formatter {
  readonly #options: LogOptions;
  #left: number;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  lines(data: Buffer): Buffer {
    const { timestamps, stream, since } = this.#options;
    const parts: Buffer[] = [];
    for (let at = 0; at < data.length && this.#left > 0; ) {
      const end = data.indexOf(10, at);
      const [a, b, c] = spaces(data, at);
      if (c > 0 && c < end) {
        const wanted = stream === undefined || data.toString('latin1', a + 1, b) === stream;
        if (wanted && (since === undefined || Date.parse(data.toString('latin1', at, a)) >= since)) {
          if (timestamps) this.#add(parts, data.subarray(at, a + 1));
          // A partial line goes on in the next entry: no end of line here.
          const partial = data[b + 1] === 0x50;
          this.#add(parts, data.subarray(c + 1, partial ? end : end + 1));
        }
      }
      at = end + 1;
    }
    return Buffer.concat(parts);
  }

  #add(parts: Buffer[], part: Buffer): void {
    const taken = part.subarray(0, Math.min(part.length, this.#left));
    this.#left -= taken.length;
    parts.push(taken);
  }
}

function spaces(data: Buffer, at: number): [number, number, number] {
  const a = data.indexOf(32, at);
  const b = data.indexOf(32, a + 1);
  const c = data.indexOf(32, b + 1);
  return [a, b, c];
}

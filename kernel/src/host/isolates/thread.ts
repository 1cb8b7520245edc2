import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import type { Port } from '@kubernel/sdk/rpc';
import { Piscina } from 'piscina';
import type { IsolateTask } from '../../isolate/main.ts';
import { controlOver, type Isolate, type IsolateOptions } from './isolate.ts';

const MAIN = fileURLToPath(new URL('../../isolate/main.js', import.meta.url));

/** V8's young generation in each worker, in MiB: small, since most isolates are small and there are a dozen. */
const YOUNG_MB = 8;

/**
 * A worker thread in a Piscina pool of its own. Its one task holds the control port and never ends by itself.
 * The heap limit is best effort: some overruns abort the whole process (see docs/architecture.md).
 */
export function startThread({ name, heapMb, host }: IsolateOptions): Isolate {
  const pool = new Piscina<IsolateTask, void>({
    filename: MAIN,
    minThreads: 1,
    maxThreads: 1,
    // An idle Piscina worker blocks in Atomics.wait, which would stop its event loop.
    atomics: 'disabled',
    resourceLimits: { ...(heapMb ? { maxOldGenerationSizeMb: heapMb } : {}), maxYoungGenerationSizeMb: YOUNG_MB },
    env: { ...process.env, KUBERNEL_ISOLATE: name },
  });
  const { port1, port2 } = new MessageChannel();
  const abort = new AbortController();
  let reason = 'its port closed';
  const ended = pool
    .run({ port: port2 as unknown as Port }, { transferList: [port2], signal: abort.signal, name: 'default' })
    .then(
      () => reason,
      (error: Error & { code?: string }) =>
        abort.signal.aborted
          ? reason
          : error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? `out of memory (heap limit ${heapMb ?? 'default'} MiB)`
            : (error.stack ?? error.message),
    )
    .finally(() => {
      port1.close();
      return pool.destroy();
    });
  const { service, accept } = controlOver(port1 as unknown as Port, host);
  return {
    name,
    kind: 'thread',
    service,
    accept,
    ended,
    async terminate(why) {
      reason = why;
      abort.abort();
      await ended;
    },
  };
}

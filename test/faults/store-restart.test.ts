import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { KubernelError, ROLES, type Storage } from '@kubernel/sdk';
import { Channel, type Port, remote } from '@kubernel/sdk/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Store } from '../../kernel/src/store/index.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'store-restart-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** SQLite in a thread that is terminated and started again, as the host does it with a plugin that hangs. */
class Plugin {
  readonly storage: Storage;
  readonly #file: string;
  #worker: Worker | undefined;
  #channel: Channel | undefined;

  constructor(file: string) {
    this.#file = file;
    this.storage = remote<Storage>('storage', ROLES['storage/v1'].streams, async () => {
      if (!this.#channel) throw new KubernelError('ERR_ROLE_UNAVAILABLE', 'storage/v1 is being restarted');
      return this.#channel;
    });
  }

  start(): void {
    const { port1, port2 } = new MessageChannel();
    this.#worker = new Worker(new URL('../perf/store-worker.ts', import.meta.url), {
      workerData: { file: this.#file, port: port2 },
      transferList: [port2],
    });
    this.#channel = new Channel(port1 as unknown as Port);
  }

  async kill(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    await this.#worker?.terminate();
    channel?.close();
  }
}

describe('a storage thread that is terminated under writes', () => {
  it('10 times: writers learn what became of their writes, watchers see each event once, and all goes on by itself', async () => {
    const plugin = new Plugin(join(dir, 'store.db'));
    plugin.start();
    const store = new Store();
    await store.attach(plugin.storage);
    const seen: number[] = [];
    const watcher = (async () => {
      for await (const message of store.subscribe({ prefix: '', from: 0 })) {
        if (message.type === 'events') seen.push(...message.events.revisions);
      }
    })();
    const acknowledged: number[] = [];
    const refusals = new Map<string, number>();
    let stopping = false;
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      for (let n = 0; !stopping; n++) {
        try {
          const { revisions } = await store.commit({ keys: [`k/${writer}/${n}`], values: ['v'.repeat(1000)], expects: [0] });
          acknowledged.push(revisions[0] as number);
        } catch (error) {
          const { code } = error as KubernelError;
          refusals.set(code, (refusals.get(code) ?? 0) + 1);
        }
      }
    });
    for (let round = 0; round < 10; round++) {
      await new Promise((resolve) => setTimeout(resolve, 30 + round * 10));
      await plugin.kill();
      await new Promise((resolve) => setTimeout(resolve, 20));
      plugin.start();
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(before);
    }
    stopping = true;
    await Promise.all(writers);
    const { revision } = await store.info();
    await expect.poll(() => seen.length).toBe(revision);
    expect(seen).toEqual(Array.from({ length: revision }, (_, i) => i + 1));
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(refusals.get('ERR_STORE_INTERRUPTED')).toBeGreaterThan(0);
    expect([...refusals.keys()].filter((code) => code !== 'ERR_STORE_INTERRUPTED')).toEqual([]);
    expect(await store.count({ prefix: 'k/' })).toBe(revision);
    expect(revision).toBeGreaterThanOrEqual(acknowledged.length);
    await store.close();
    await expect(watcher).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' });
    await plugin.kill();
  });
});

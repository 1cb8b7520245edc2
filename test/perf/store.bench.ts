/**
 * The store by itself, without an API in front of it: `node test/perf/store.bench.ts [--quick]`.
 *
 * Writers run closed loops (each has one write under way) against the kernel's store over a storage. SQLite runs in a
 * thread of its own behind the project's RPC, as the host runs it, on the disk that holds the project, with fsync.
 * Rounds of the variants take turns, since the machine's speed drifts; the table gives the median round and the range.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { ROLES, type Storage } from '@kubernel/sdk';
import { Channel, type Port, remote } from '@kubernel/sdk/rpc';
import { MemoryStorage } from '@kubernel/storage-memory';
import { SqliteStorage } from '@kubernel/storage-sqlite';
import { Store } from '../../kernel/src/store/index.ts';

const quick = process.argv.includes('--quick');
const only = process.argv.find((argument) => argument.startsWith('--snapshots='));
const rows: Row[] = [];
const ROUNDS = quick ? 1 : 5;
const VALUE = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"},"data":"${'v'.repeat(2048 - 65)}"}`;
const KEYS = 10_000;
const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
const root = mkdtempSync(join(results, 'store-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

interface Opened {
  storage: Storage;
  cpuMicros(): Promise<number>;
  close(): Promise<void>;
}

type Kind = 'sqlite in a thread' | 'sqlite inline' | 'memory inline';

let files = 0;
async function open(kind: Kind): Promise<Opened> {
  const own = async (): Promise<number> => {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  };
  const file = join(root, `${files++}`, 'store.db');
  if (kind === 'memory inline') return { storage: new MemoryStorage(), cpuMicros: own, close: async () => {} };
  if (kind === 'sqlite inline') {
    const storage = new SqliteStorage({ file });
    return { storage, cpuMicros: own, close: async () => storage.close() };
  }
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./store-worker.ts', import.meta.url), { workerData: { file, port: port2 }, transferList: [port2] });
  const channel = new Channel(port1 as unknown as Port);
  return {
    storage: remote<Storage>('storage', ROLES['storage/v1'].streams, async () => channel),
    cpuMicros: async () => {
      const { user, system } = (await channel.call('worker', 'cpu', [])) as NodeJS.CpuUsage;
      return user + system + (await own());
    },
    close: async () => {
      await channel.call('worker', 'close', []);
      await worker.terminate();
    },
  };
}

async function fill(store: Pick<Storage, 'commit'>, count: number): Promise<void> {
  for (let start = 0; start < count; start += 1000) {
    const keys = Array.from({ length: Math.min(1000, count - start) }, (_, i) => keyOf(start + i));
    await store.commit({ keys, values: keys.map(() => VALUE), expects: keys.map(() => -1) });
  }
}

const keyOf = (number: number): string => `core/pods/default/pod-${String(number).padStart(6, '0')}`;

// ---------------------------------------------------------------------------------------------------------------- puts

interface Round {
  perSecond: number;
  p50: number;
  p99: number;
  cpuMicros: number;
}

async function putRound(store: Store, cpuMicros: () => Promise<number>, writers: number, seconds: number): Promise<Round> {
  const latencies: number[] = [];
  const cpuBefore = await cpuMicros();
  const start = performance.now();
  const end = start + seconds * 1000;
  let number = 0;
  const writer = async (): Promise<void> => {
    for (let now = performance.now(); now < end; ) {
      await store.commit({ keys: [keyOf((number++ * 7919) % KEYS)], values: [VALUE], expects: [-1] });
      const after = performance.now();
      latencies.push(after - now);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  const elapsed = performance.now() - start;
  const cpu = (await cpuMicros()) - cpuBefore;
  latencies.sort((a, b) => a - b);
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    p50: at(latencies, 0.5),
    p99: at(latencies, 0.99),
    cpuMicros: cpu / latencies.length,
  };
}

async function puts(): Promise<void> {
  const kinds: Kind[] = ['sqlite in a thread', 'sqlite inline', 'memory inline'];
  const opened = await Promise.all(kinds.map(async (kind) => ({ kind, ...(await open(kind)) })));
  const rounds = new Map<string, Round[]>();
  const stores = await Promise.all(
    opened.map(async (one) => {
      const store = new Store({ compactEveryMs: 1 << 30 });
      await store.attach(one.storage);
      return { ...one, store };
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const writers of [1, 64, 256]) {
      for (const { kind, store, cpuMicros, storage } of stores) {
        const name = `${writers} in flight, ${kind}`;
        const result = await putRound(store, cpuMicros, writers, quick ? 0.5 : 1.5);
        rounds.set(name, [...(rounds.get(name) ?? []), result]);
        // Each round finds the same database: the superseded values are gone.
        await storage.compact((await storage.stats()).revision);
      }
    }
  }
  for (const { store, close } of stores) {
    await store.close();
    await close();
  }
  for (const [name, all] of rounds) {
    const rates = all.map(({ perSecond }) => perSecond);
    row('puts of 2 KB', name, `${whole(median(rates))}/s`, range(rates), {
      perSecond: median(rates),
      p50Ms: median(all.map(({ p50 }) => p50)),
      p99Ms: median(all.map(({ p99 }) => p99)),
      cpuMicros: median(all.map(({ cpuMicros }) => cpuMicros)),
    });
  }
}

function fsyncs(): void {
  const file = openSync(join(root, 'fsync'), 'w');
  const block = Buffer.alloc(8192, 1);
  const times: number[] = [];
  for (let i = 0; i < 500; i++) {
    const start = performance.now();
    writeSync(file, block, 0, block.length, (i % 64) * 8192);
    fsyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  times.sort((a, b) => a - b);
  row('write and fsync 8 KiB', 'the disk itself', `${fine(at(times, 0.5))} ms`, `p99 ${fine(at(times, 0.99))}`, {
    p50Ms: at(times, 0.5),
    p99Ms: at(times, 0.99),
  });
}

// ------------------------------------------------------------------------------------------------------------- reading

/** To isolates, over the project's RPC: each event is copied once for each of them. */
async function fanOutToIsolates(isolates: number): Promise<void> {
  const total = quick ? 20_000 : 100_000;
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const store = new Store({ compactEveryMs: 1 << 30 });
    await store.attach(new MemoryStorage());
    const done = Array.from({ length: isolates }, async () => {
      const { port1, port2 } = new MessageChannel();
      const worker = new Worker(new URL('./store-reader.ts', import.meta.url), {
        workerData: { port: port2, total },
        transferList: [port2],
      });
      const channel = new Channel(port1 as unknown as Port);
      channel.serve('store', store.role);
      await new Promise<void>((resolve) => channel.serve('bench', { done: () => resolve() }));
      await worker.terminate();
    });
    while (store.gauges.subscribers < isolates) await new Promise((resolve) => setTimeout(resolve, 5));
    const start = performance.now();
    let published = 0;
    const writer = async (): Promise<void> => {
      while (published < total) {
        await store.commit({ keys: [keyOf(published++ % KEYS)], values: [VALUE], expects: [-1] });
        // As with a storage that has to wait for its disk, the loop turns between two commits.
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([...Array.from({ length: 64 }, writer), ...done]);
    rates.push((total / (performance.now() - start)) * 1000 * isolates);
    await store.close();
  }
  row('fan-out over RPC', `${isolates} isolates`, `${whole(median(rates))} events/s`, range(rates), { eventsPerSecond: median(rates) });
}

/** Within one process, by reference. */
async function fanOut(subscribers: number): Promise<void> {
  const total = Math.max(2000, Math.floor((quick ? 100_000 : 1_000_000) / subscribers));
  const rates: number[] = [];
  const slow: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const store = new Store({ compactEveryMs: 1 << 30 });
    await store.attach(new MemoryStorage());
    let delivered = 0;
    const readers = Array.from({ length: subscribers }, async () => {
      let seen = 0;
      for await (const message of store.subscribe({ prefix: '', from: 0 })) {
        if (message.type !== 'events') continue;
        seen += message.events.keys.length;
        delivered += message.events.keys.length;
        if (seen >= total) return;
      }
    });
    const start = performance.now();
    let published = 0;
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        for (; published < total; ) await store.commit({ keys: [keyOf(published++ % KEYS)], values: [VALUE], expects: [-1] });
      }),
    );
    slow.push(performance.now() - start);
    await Promise.all(readers);
    rates.push((delivered / (performance.now() - start)) * 1000);
    await store.close();
  }
  row('fan-out', `${subscribers} subscribers`, `${whole(median(rates))} events/s`, range(rates), {
    eventsPerSecond: median(rates),
    putsPerSecond: total / (median(slow) / 1000),
  });
}

/** In a process of its own, since it is about memory too. */
async function snapshots(count: number): Promise<void> {
  const { storage, close } = await open('sqlite in a thread');
  const store = new Store({ compactEveryMs: 1 << 30 });
  await store.attach(storage);
  const idle = process.memoryUsage.rss();
  await fill(store, count);
  const filled = process.memoryUsage.rss();
  const times: number[] = [];
  const first: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let seen = 0;
    for await (const message of store.subscribe({ prefix: 'core/pods/' })) {
      if (message.type === 'snapshot') {
        if (seen === 0) first.push(performance.now() - start);
        seen += message.page.keys.length;
      }
      if (message.type === 'synced') break;
    }
    if (seen !== count) throw new Error(`${seen} of ${count} listed`);
    times.push(performance.now() - start);
  }
  const counted = performance.now();
  await store.count({ prefix: 'core/pods/' });
  const countMs = performance.now() - counted;
  row('snapshot', `${whole(count)} objects of 2 KB`, `${whole(median(times))} ms`, range(times), {
    ms: median(times),
    firstPageMs: median(first),
    countMs,
    rssIdleMiB: idle / (1 << 20),
    rssFilledMiB: filled / (1 << 20),
    rssListedMiB: process.memoryUsage.rss() / (1 << 20),
  });
  await store.close();
  await close();
}

function snapshotsInProcess(count: number): void {
  const output = execFileSync(process.execPath, [...process.argv.slice(1), `--snapshots=${count}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const { what, case: variant, median: middle, range: between, numbers } of JSON.parse(output) as Row[])
    row(what, variant, middle, between, numbers);
}

// ------------------------------------------------------------------------------------------------------------- report

interface Row {
  what: string;
  case: string;
  median: string;
  range: string;
  numbers: Record<string, number>;
}

function row(what: string, variant: string, middle: string, between: string, numbers: Record<string, number>): void {
  rows.push({ what, case: variant, median: middle, range: between, numbers });
  if (only) return;
  const details = Object.entries(numbers)
    .slice(1)
    .map(([name, value]) => `${name} ${fine(value)}`)
    .join(', ');
  console.log(`${what.padEnd(22)} ${variant.padEnd(32)} ${middle.padStart(19)}  (${between}) ${details}`);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function fine(value: number): string {
  return value >= 100 ? whole(value) : value.toFixed(2);
}

function range(values: number[]): string {
  return `${whole(Math.min(...values))}-${whole(Math.max(...values))}`;
}

function at(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function median(values: number[]): number {
  return at(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

if (only) {
  await snapshots(Number(only.slice(only.indexOf('=') + 1)));
  process.stdout.write(JSON.stringify(rows));
} else {
  console.log(`node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? '?'}, ${ROUNDS} rounds\n`);
  fsyncs();
  await puts();
  for (const subscribers of [1, 10, 100]) await fanOut(subscribers);
  for (const isolates of [1, 2]) await fanOutToIsolates(isolates);
  for (const count of quick ? [1000, 10_000] : [1000, 10_000, 100_000]) snapshotsInProcess(count);
  writeFileSync(
    join(results, 'store.json'),
    `${JSON.stringify({ date: new Date().toISOString(), node: process.version, rounds: ROUNDS, rows }, null, 2)}\n`,
  );
}

import { type MessagePort, workerData } from 'node:worker_threads';
import { Channel, type Port } from '@kubernel/sdk/rpc';
import { SqliteStorage } from '@kubernel/storage-sqlite';

/** The SQLite storage in a thread of its own, behind the project's RPC: as the host runs it. */
const { file, port } = workerData as { file: string; port: MessagePort };
const storage = new SqliteStorage({ file });
const channel = new Channel(port as unknown as Port);
channel.serve('storage', storage);
channel.serve('worker', {
  close: () => storage.close(),
  cpu: () => process.threadCpuUsage(),
});

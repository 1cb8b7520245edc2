import { join } from 'node:path';
import type { OpenStorage, StorageKitOptions } from '@kubernel/sdk/tck';
import { SqliteStorage } from './sqlite-storage.ts';

/** How the conformance kit opens this driver; also in the process that it kills. */
export function open(dir: string, options: StorageKitOptions = {}): OpenStorage {
  const storage = new SqliteStorage({ file: join(dir, 'store.db'), reserveBytes: 1 << 20, ...options });
  return { storage, close: () => storage.close() };
}

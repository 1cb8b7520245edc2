import { storageKit } from '@kubernel/sdk/tck';
import { describe, it } from 'vitest';
import { open } from './kit-adapter.test-module.ts';
import { SqliteStorage } from './sqlite-storage.ts';

storageKit(
  { describe, it },
  {
    name: 'sqlite',
    durable: true,
    limits: true,
    clock: true,
    crashModule: new URL('./kit-adapter.test-module.ts', import.meta.url),
    open,
    openBackup(file) {
      const storage = new SqliteStorage({ file, reserveBytes: 0 });
      return { storage, close: () => storage.close() };
    },
  },
);

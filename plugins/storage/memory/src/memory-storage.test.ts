import { storageKit } from '@kubernel/sdk/tck';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';

storageKit(
  { describe, it },
  {
    name: 'memory',
    limits: true,
    clock: true,
    histories: 60,
    open(_dir, options) {
      const storage = new MemoryStorage(options);
      return { storage, close: () => storage.close() };
    },
  },
);

describe('memory storage', () => {
  it('forgets history by itself when it weighs more than it may', async () => {
    const storage = new MemoryStorage({ maxHistoryBytes: 100_000 });
    for (let i = 0; i < 1000; i++) await storage.commit({ keys: ['a'], values: ['v'.repeat(1000)], expects: [-1] });
    const { compacted, sizeBytes } = await storage.stats();
    expect(compacted).toBeGreaterThan(850);
    expect(sizeBytes).toBeLessThan(110_000);
  });
});

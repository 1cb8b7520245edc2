import { definePlugin, type PluginDefinition } from '@kubernel/sdk';
import { type MemoryOptions, MemoryStorage } from './memory-storage.ts';

export { type MemoryOptions, MemoryStorage } from './memory-storage.ts';

const memory: PluginDefinition<'storage/v1', Omit<MemoryOptions, 'now'>> = definePlugin('storage/v1', 'memory', {
  start(ctx) {
    const storage = new MemoryStorage(ctx.config);
    ctx.defer(() => storage.close());
    return storage;
  },
});

export default memory;

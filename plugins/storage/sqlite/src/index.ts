import { isAbsolute, join } from 'node:path';
import { definePlugin, type PluginDefinition } from '@kubernel/sdk';
import { type SqliteOptions, SqliteStorage } from './sqlite-storage.ts';

export { type SqliteOptions, SqliteStorage } from './sqlite-storage.ts';

/** What a config file may say; see config.schema.json. */
export type SqliteConfig = Omit<Partial<SqliteOptions>, 'now' | 'onFull'>;

const sqlite: PluginDefinition<'storage/v1', SqliteConfig> = definePlugin('storage/v1', 'sqlite', {
  start(ctx) {
    const { file = 'store.db' } = ctx.config;
    const path = isAbsolute(file) ? file : join(ctx.pluginDir, file);
    const started = performance.now();
    const storage = new SqliteStorage({
      ...ctx.config,
      file: path,
      onFull: (full) => {
        if (full) ctx.report('degraded', `no room for more in ${path}: growth is refused until there is`);
        else ctx.report('ok', 'there is room again');
      },
    });
    ctx.defer(() => storage.close());
    ctx.log.info('database open', { file: path, tookMs: Math.round(performance.now() - started) });
    return storage;
  },
});

export default sqlite;

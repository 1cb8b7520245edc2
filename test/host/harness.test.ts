import { join } from 'node:path';
import { EXPECT_ANY } from '@kubernel/sdk';
import { runPlugin } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the harness', () => {
  it('runs a plugin behind the real RPC, and again after a restart', async () => {
    const plugin = await runPlugin({
      entry: join(ROOT, 'plugins', 'storage', 'sqlite', 'dist', 'index.js'),
      role: 'storage/v1',
      name: 'sqlite',
    });
    try {
      const { revisions } = await plugin.service.commit({ keys: ['a'], values: ['1'], expects: [EXPECT_ANY] });
      expect(revisions).toEqual([1]);
      await plugin.restart();
      expect(await plugin.service.get('a')).toMatchObject({ key: 'a', value: '1', revision: 1 });
    } finally {
      await plugin.stop();
    }
  });

  it('says what a plugin’s entry lacks', async () => {
    const entry = join(ROOT, 'plugins', 'storage', 'memory', 'dist', 'index.js');
    await expect(runPlugin({ entry, role: 'storage/v1', name: 'sqlite' })).rejects.toMatchObject({ code: 'ERR_PLUGIN_ENTRY' });
  });
});

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { ConfigMap } from '../api/kinds/index.ts';
import { StatusError } from '../errors.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { createInformer } from './informer.ts';
import { CONFIG_MAPS } from './resources.ts';
import { createClient } from './rest-client.ts';

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), name: fc.integer({ min: 0, max: 9 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.integer({ min: 0, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('disconnect', 'close', 'compact', 'bookmark', 'refuse', 'wait', 'wait') }) },
);

test('whatever happens to its connection, an informer ends up with what is there, and its handlers saw how', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), fc.boolean(), async (steps, watchList) => {
      const api = new FakeApi();
      let refusals = 0;
      api.onRequest = () => {
        if (refusals-- > 0) throw new StatusError(503, 'ServiceUnavailable', 'busy');
      };
      const informer = createInformer<ConfigMap>(createClient(api), CONFIG_MAPS, {
        pageSize: 4,
        watchList,
        indexes: { v: ({ data }) => [data?.v ?? ''] },
      });
      // What somebody knows who only listens.
      const told = new Map<string, string>();
      const problems: string[] = [];
      informer.on({
        add: ({ metadata, data }) => {
          if (told.has(metadata.name ?? '')) problems.push(`${metadata.name} was added twice`);
          told.set(metadata.name ?? '', data?.v ?? '');
        },
        update: ({ metadata, data }, old) => {
          if (told.get(metadata.name ?? '') !== old.data?.v) problems.push(`the old state of ${metadata.name} is not the one told before`);
          told.set(metadata.name ?? '', data?.v ?? '');
        },
        delete: ({ metadata }) => {
          if (!told.delete(metadata.name ?? '')) problems.push(`${metadata.name} was deleted and never added`);
        },
      });
      let version = 0;
      let lost = false;
      for (const each of steps) {
        if (each.do === 'put')
          api.put<ConfigMap>(CONFIG_MAPS, { metadata: { name: `c${each.name}`, namespace: 'x' }, data: { v: String(version++) } });
        else if (each.do === 'remove') api.remove(CONFIG_MAPS, `x/c${each.name}`);
        else if (each.do === 'disconnect') api.disconnect();
        else if (each.do === 'close') api.closeWatches();
        else if (each.do === 'compact') {
          // What happened since the connection was lost is forgotten before it is back.
          api.disconnect();
          lost = true;
        } else if (each.do === 'bookmark') api.bookmark();
        else if (each.do === 'refuse') refusals = 1;
        else if (lost) {
          api.compact();
          lost = false;
        } else await vi.waitFor(() => expect(api.watches).toBe(1), { timeout: 3000, interval: 2 });
      }
      refusals = 0;
      if (lost) api.compact();
      const state = (objects: Iterable<ConfigMap>): string[] =>
        [...objects].map(({ metadata, data }) => `${metadata.name}=${data?.v}`).sort();
      const wanted = state(api.all<ConfigMap>(CONFIG_MAPS));
      await vi.waitFor(() => expect(state(informer.list())).toEqual(wanted), { timeout: 3000, interval: 2 });
      expect([...told].map(([name, v]) => `${name}=${v}`).sort()).toEqual(wanted);
      expect(problems).toEqual([]);
      for (const object of informer.list()) expect(informer.byIndex('v', object.data?.v ?? '')).toEqual([object]);
      informer.stop();
    }),
    { numRuns: 20 },
  );
});

import type { ConfigMap, OwnerReference } from '@kubernel/sdk/api';
import { CONFIG_MAPS, createClient } from '@kubernel/sdk/client';
import { FakeApi, fakeContext } from '@kubernel/sdk/testing';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { garbageCollector } from './collector.ts';

const NODES = 8;

/** Who owns whom (later ones own nothing earlier, so there are no circles), who blocks, and what is deleted how. */
const scenario = fc.record({
  edges: fc.array(fc.record({ owner: fc.nat(NODES - 2), child: fc.integer({ min: 1, max: NODES - 1 }), blocks: fc.boolean() }), {
    maxLength: 14,
    size: 'max',
  }),
  deletions: fc.array(fc.record({ node: fc.nat(NODES - 1), policy: fc.constantFrom('Background', 'Foreground', 'Orphan') }), {
    minLength: 1,
    maxLength: 4,
    size: 'max',
  }),
  disturbed: fc.boolean(),
});

test('of any family, after any deletions, just those are left that still have an owner or never had one', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ edges, deletions, disturbed }) => {
      const api = new FakeApi();
      const ctx = fakeContext(api);
      const owners = new Map<number, Map<number, boolean>>(Array.from({ length: NODES }, (_, i) => [i, new Map()]));
      for (const { owner, child, blocks } of edges) if (owner < child) owners.get(child)?.set(owner, blocks);
      const uids: string[] = [];
      for (const [i, of] of owners) {
        const ownerReferences = [...of].map(
          ([owner, blockOwnerDeletion]): OwnerReference => ({
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: `n${owner}`,
            uid: uids[owner] as string,
            blockOwnerDeletion,
          }),
        );
        const { metadata } = api.put<ConfigMap>(CONFIG_MAPS, {
          metadata: { name: `n${i}`, namespace: 'x', ...(ownerReferences.length > 0 ? { ownerReferences } : {}) },
        });
        uids.push(metadata.uid ?? '');
      }
      await garbageCollector.hooks.start(ctx as never);
      await vi.waitFor(() => expect(api.watches).toBeGreaterThan(15), { interval: 2 });
      for (const { node, policy } of deletions) {
        if (!owners.has(node)) continue;
        await createClient(api).delete(CONFIG_MAPS, `n${node}`, { namespace: 'x', propagationPolicy: policy as 'Orphan' });
        if (disturbed) api.disconnect();
        owners.delete(node);
        if (policy === 'Orphan') for (const of of owners.values()) of.delete(node);
        for (const [child, of] of owners) {
          // In order: owners come before what they own.
          const left = [...of.keys()].filter((owner) => owners.has(owner));
          if (of.size > 0 && left.length === 0) owners.delete(child);
          else for (const owner of of.keys()) if (!owners.has(owner)) of.delete(owner);
        }
        const wanted = [...owners].map(([i, of]) => `n${i} of ${[...of.keys()].sort()}`);
        const found = (): string[] =>
          api
            .all<ConfigMap>(CONFIG_MAPS)
            .map(
              ({ metadata }) => `${metadata.name} of ${(metadata.ownerReferences ?? []).map(({ name }) => Number(name.slice(1))).sort()}`,
            );
        await vi.waitFor(() => expect(found().sort()).toEqual(wanted.sort()), { timeout: 4000, interval: 2 });
      }
      const settled = api.revision;
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(api.revision).toBe(settled);
      expect(ctx.reports).toEqual([]);
      await ctx.dispose();
    }),
    { numRuns: 25 },
  );
});

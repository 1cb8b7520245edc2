import { StatusError } from '@kubernel/sdk';
import type { Pod } from '@kubernel/sdk/api';
import { controllerOf, PODS } from '@kubernel/sdk/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeCluster, setImage } from '../../test/cluster.ts';

const step = fc.oneof(
  fc.record({ do: fc.constant('scale' as const), value: fc.integer({ min: 0, max: 8 }) }),
  fc.record({ do: fc.constant('image' as const), value: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('kill' as const), value: fc.integer({ min: 0, max: 8 }) }),
  fc.record({
    do: fc.constantFrom('pause', 'resume', 'disconnect', 'compact', 'refuse', 'wait', 'recreate', 'roll'),
    value: fc.constant(0),
  }),
);

test('whatever is asked and whatever breaks on the way, a deployment ends up as it was last asked', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14, size: 'max' }), async (steps) => {
      const cluster = new FakeCluster();
      cluster.automatic = true;
      let refusals = 0;
      cluster.api.onRequest = ({ method }) => {
        if (method !== 'GET' && refusals-- > 0) throw new StatusError(500, 'InternalError', 'bad luck');
      };
      await cluster.start();
      let replicas = 3;
      let image = 'nginx:1';
      cluster.apply('web');
      for (const { do: what, value } of steps) {
        if (what === 'scale') {
          replicas = value;
          cluster.apply('web', (spec) => void (spec.replicas = value));
        } else if (what === 'image') {
          image = `nginx:${value}`;
          cluster.apply('web', setImage(image));
        } else if (what === 'pause' || what === 'resume') {
          cluster.apply('web', (spec) => void (spec.paused = what === 'pause'));
        } else if (what === 'recreate' || what === 'roll') {
          cluster.apply(
            'web',
            (spec) =>
              void (spec.strategy =
                what === 'roll' ? { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } : { type: 'Recreate' }),
          );
        } else if (what === 'kill') {
          const pod = cluster.pods()[value];
          if (pod) cluster.api.remove(PODS, `x/${pod.metadata.name}`);
        } else if (what === 'disconnect') {
          cluster.api.disconnect();
        } else if (what === 'compact') {
          cluster.api.compact();
          cluster.api.disconnect();
        } else if (what === 'refuse') {
          refusals = 3;
        } else {
          await cluster.quiet(10);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      refusals = 0;
      cluster.apply('web', (spec) => void (spec.paused = false));
      const isDone = (): boolean => {
        const { status, metadata } = cluster.deployment('web');
        return (
          status?.observedGeneration === metadata.generation &&
          status?.availableReplicas === replicas &&
          status?.updatedReplicas === replicas &&
          status?.replicas === replicas
        );
      };
      const until = Date.now() + 5000;
      while (!isDone() && Date.now() < until) await cluster.quiet(20);
      await cluster.quiet(20);
      expect(cluster.picture()).toBe(replicas === 0 ? '' : `${image} ${replicas}/${replicas}`);
      expect(isDone()).toBe(true);
      // Nothing is left over, and nothing is owned by nobody.
      const owners = new Set(cluster.replicaSets().map(({ metadata }) => metadata.uid));
      expect(cluster.pods().filter((pod: Pod) => !owners.has(controllerOf(pod)?.uid))).toEqual([]);
      expect(cluster.contexts.flatMap(({ reports }) => reports)).toEqual([]);
      const before = cluster.api.revision;
      await cluster.quiet(30);
      expect(cluster.api.revision).toBe(before);
      await cluster.stop();
    }),
    { numRuns: 12 },
  );
});

/**
 * controller/resource-quota: says in each quota's status what it limits and how much is used. Admission counts what comes;
 * this counts what went, and everything anew when a quota changes and every five minutes.
 */
import { definePlugin } from '@kubernel/sdk';
import type { KubeObject, ResourceRef } from '@kubernel/sdk/api';
import { Quantity, semanticEqual } from '@kubernel/sdk/api';
import type { Informer } from '@kubernel/sdk/client';
import { controllerParts, isNotFound, objectKey, RESOURCE_QUOTAS, splitKey } from '@kubernel/sdk/client';
import { addTo, amountsOf, toRecord } from './amounts.ts';
import { CountedResources } from './counted-resources.ts';
import type { Evaluator } from './evaluators.ts';
import { evaluatorOf } from './evaluators.ts';
import type { ResourceQuota } from './ledger.ts';
import type { Pod } from './pods.ts';

const RECOUNT_MS = 5 * 60_000;
/** Kinds whose fields say what they cost; of all others the metadata is enough. */
const DETAILED = new Set(['/pods', '/services', '/persistentvolumeclaims']);

interface Followed {
  informer: Informer;
  evaluator: Evaluator;
}

export const quotaController = definePlugin('controller/v1', 'resource-quota', {
  start(ctx) {
    const parts = controllerParts(ctx, 'resourcequota-controller');
    const namespaceIndex = { namespace: ({ metadata }: KubeObject): string[] => [metadata.namespace ?? ''] };
    const quotas = parts.informers.get<ResourceQuota>(RESOURCE_QUOTAS, { indexes: namespaceIndex });
    const counted = new CountedResources(() => parts.client);
    const followed = new Map<string, Followed>();
    const reconciler = parts.reconciler('resource-quota', sync);
    // A status that this or admission just wrote is no reason to count again.
    quotas.on({
      add: (quota) => reconciler.enqueue(objectKey(quota)),
      update: (quota, old) => {
        if (quota === old || !semanticEqual(quota.spec, old.spec) || !semanticEqual(quota.status?.hard, quota.spec?.hard))
          reconciler.enqueue(objectKey(quota));
      },
    });
    return parts.run(reconciler);

    async function sync(key: string): Promise<{ requeueAfterMs: number } | undefined> {
      const quota = quotas.get(key);
      if (!quota || quota.metadata.deletionTimestamp) return undefined;
      const { namespace } = splitKey(key);
      const hard = quota.spec?.hard ?? {};
      // A quota that limits nothing says nothing.
      if (Object.keys(hard).length === 0 && !quota.status?.hard) return undefined;
      const resources = new Map<string, ResourceRef>();
      const known = new Set<string>();
      for (const limit of Object.keys(hard)) {
        const resource = await counted.of(limit);
        if (!resource) continue;
        known.add(limit);
        resources.set(`${resource.group}/${resource.resource}`, resource);
      }
      const used = new Map([...known].map((limit) => [limit, Quantity.of(0)]));
      for (const resource of resources.values()) {
        const { informer, evaluator } = await follow(resource);
        for (const object of informer.byIndex('namespace', namespace)) {
          if (!evaluator.inScope(object, quota.spec ?? {})) continue;
          for (const [name, amount] of evaluator.usage(object)) if (known.has(name)) addTo(used, name, amount);
        }
      }
      await write(quota, hard, toRecord(used));
      return { requeueAfterMs: RECOUNT_MS };
    }

    async function write(quota: ResourceQuota, hard: Record<string, string>, used: Record<string, string>): Promise<void> {
      const status = { hard, used };
      if (sameAmounts(quota.status?.hard, hard) && sameAmounts(quota.status?.used, used)) return;
      try {
        await parts.client.update(
          RESOURCE_QUOTAS,
          { ...quota, status },
          { subresource: 'status', fieldManager: 'kube-controller-manager' },
        );
      } catch (error) {
        // A conflict is repeated with what is there then.
        if (!isNotFound(error)) throw error;
      }
    }

    /** Follows a resource from the first quota on that limits it, for as long as the controller runs. */
    async function follow(resource: ResourceRef): Promise<Followed> {
      const name = `${resource.group}/${resource.resource}`;
      let known = followed.get(name);
      if (!known) {
        const informer = parts.informers.get<KubeObject>(resource, {
          indexes: namespaceIndex,
          ...(DETAILED.has(name) ? {} : { transform: metadataOnly }),
        });
        known = { informer, evaluator: evaluatorOf(resource.group, resource.resource) };
        followed.set(name, known);
        const recount = ({ metadata }: KubeObject): void => {
          for (const quota of quotas.byIndex('namespace', metadata.namespace ?? '')) reconciler.enqueue(objectKey(quota));
        };
        informer.on({ delete: recount, update: (object, old) => void (freesSomething(name, object, old) && recount(object)) });
      }
      await known.informer.synced();
      return known;
    }
  },
});

function metadataOnly({ metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { metadata: { name, namespace, uid, resourceVersion } };
}

/** A pod that ended costs nothing any more; services and claims change what they cost. */
function freesSomething(resource: string, object: KubeObject, old: KubeObject): boolean {
  if (resource !== '/pods') return DETAILED.has(resource) && object !== old && !semanticEqual(object.spec, old.spec);
  const ended = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return ended(object as Pod) && !ended(old as Pod);
}

function sameAmounts(a: Record<string, string> | undefined, b: Record<string, string>): boolean {
  const [left, right] = [amountsOf(a), amountsOf(b)];
  return a !== undefined && left.size === right.size && [...left].every(([name, amount]) => right.get(name)?.compare(amount) === 0);
}

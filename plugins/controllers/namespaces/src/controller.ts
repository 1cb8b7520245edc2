import { definePlugin } from '@kubernel/sdk';
import type { Namespace } from '@kubernel/sdk/api';
import {
  type Client,
  type Condition,
  controllerParts,
  type DiscoveredResource,
  discover,
  isConflict,
  isNotFound,
  NAMESPACES,
} from '@kubernel/sdk/client';
import { deletionConditions } from './conditions.ts';
import { type Emptied, emptyResource, nothingLeft } from './content.ts';

const FINALIZER = 'kubernetes';
const FIRST_LOOK_MS = 25;
const LONGEST_LOOK_MS = 3000;
/** Resources that are emptied at the same time. */
const PARALLEL = 8;

/**
 * Deletes what is in a namespace that is being deleted, then lets the namespace go
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/, ordered deletion: KEP-5080).
 */
export const namespaceController = definePlugin('controller/v1', 'namespace', {
  start(ctx) {
    const parts = controllerParts(ctx, 'namespace-controller');
    const { client } = parts;
    const namespaces = parts.informers.get<Namespace>(NAMESPACES);
    /** How long the last wait for the rest of a namespace's content was, by uid. */
    const waits = new Map<string, number>();
    const reconciler = parts.reconciler('namespace', sync, { workers: 10 });
    reconciler.watch(namespaces);
    namespaces.on({ delete: ({ metadata }) => waits.delete(metadata.uid ?? '') });
    return parts.run(reconciler);

    async function sync(key: string): Promise<{ requeueAfterMs?: number } | undefined> {
      const namespace = namespaces.get(key);
      if (!namespace?.metadata.deletionTimestamp || !namespace.spec?.finalizers?.includes(FINALIZER)) return undefined;
      const { uid = '' } = namespace.metadata;
      const found = await emptyNamespace(client, key);
      const current = await writeConditions(client, key, uid, deletionConditions(found, Date.now()));
      if (!current) return undefined;
      if (found.problems.length === 0 && found.stale.length === 0 && nothingLeft(found.resources)) {
        waits.delete(uid);
        await finalize(client, current);
        return undefined;
      }
      // Pods end when their kubelets say so, and finalizers when their owners do: looked at more and more rarely.
      const requeueAfterMs = Math.min(LONGEST_LOOK_MS, (waits.get(uid) ?? FIRST_LOOK_MS / 2) * 2);
      waits.set(uid, requeueAfterMs);
      return { requeueAfterMs };
    }
  },
});

export interface NamespaceContent {
  /** `group/version` that discovery could not ask. */
  stale: string[];
  problems: string[];
  resources: Emptied[];
}

/** One round: asks for the deletion of everything, and tells what is still there. Pods first, the rest when they are gone. */
async function emptyNamespace(client: Client, namespace: string): Promise<NamespaceContent> {
  const discovery = await discover(client);
  const content: NamespaceContent = { stale: discovery.stale, problems: [], resources: [] };
  const deletable = discovery.resources.filter(
    ({ clusterScoped, verbs }) => !clusterScoped && verbs.includes('list') && verbs.includes('delete'),
  );
  const isPods = ({ group, resource }: DiscoveredResource): boolean => group === '' && resource === 'pods';
  await emptyAll(deletable.filter(isPods));
  if (content.problems.length > 0 || !nothingLeft(content.resources)) return content;
  await emptyAll(deletable.filter((resource) => !isPods(resource)));
  return content;

  async function emptyAll(resources: DiscoveredResource[]): Promise<void> {
    const queue = [...resources];
    const worker = async (): Promise<void> => {
      for (let resource = queue.shift(); resource; resource = queue.shift()) {
        try {
          content.resources.push(await emptyResource(client, resource, namespace));
        } catch (error) {
          content.problems.push(error instanceof Error ? error.message : String(error));
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }
}

/** The namespace as it is now, with the conditions written when they changed; undefined when it is gone. */
async function writeConditions(
  client: Client,
  name: string,
  uid: string,
  conditionsOf: (old: readonly Condition[]) => readonly Condition[],
): Promise<Namespace | undefined> {
  for (;;) {
    try {
      const namespace = await client.get<Namespace>(NAMESPACES, name);
      if (namespace.metadata.uid !== uid) return undefined;
      const conditions = conditionsOf(namespace.status?.conditions ?? []);
      if (conditions === namespace.status?.conditions && namespace.status?.phase === 'Terminating') return namespace;
      return await client.update<Namespace>(
        NAMESPACES,
        { ...namespace, status: { ...namespace.status, phase: 'Terminating', conditions: [...conditions] } },
        { subresource: 'status' },
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isConflict(error)) throw error;
    }
  }
}

async function finalize(client: Client, namespace: Namespace): Promise<void> {
  const finalizers = namespace.spec?.finalizers?.filter((finalizer) => finalizer !== FINALIZER) ?? [];
  try {
    await client.update<Namespace>(NAMESPACES, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: 'finalize' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

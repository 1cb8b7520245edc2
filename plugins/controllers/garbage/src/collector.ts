import { definePlugin, statusCode } from '@kubernel/sdk';
import type { KubeObject, OwnerReference } from '@kubernel/sdk/api';
import { controllerParts, type DiscoveredResource, isConflict, isNotFound } from '@kubernel/sdk/client';
import { AbsentOwners } from './absent-owners.ts';
import { FOREGROUND, type GraphNode, ORPHAN, OwnerGraph, waitsForDependents } from './graph.ts';
import { Monitors } from './monitors.ts';

/**
 * Deletes objects whose owners are all gone, in the background, in the foreground, or not at all when they are to be
 * orphaned (https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
 */
export const garbageCollector = definePlugin('controller/v1', 'garbage-collector', {
  start(ctx) {
    const parts = controllerParts(ctx, 'garbage-collector-controller');
    const { client, events } = parts;
    const judging = parts.reconciler('garbage-collector', judge, { workers: 20 });
    const orphaning = parts.reconciler('garbage-collector-orphan', orphan, { workers: 10 });
    const graph = new OwnerGraph({ judge: (uid) => judging.enqueue(uid), orphan: (uid) => orphaning.enqueue(uid) });
    const monitors = new Monitors({ client, graph, signal: ctx.signal, log: ctx.log });
    const absent = new AbsentOwners();

    // No verdict before all resources are read: every owner would look absent.
    let waiting: string | undefined = 'the owner graph is being filled';
    void monitors.start().then(async () => {
      if (ctx.signal.aborted) return;
      await Promise.all([judging.start(), orphaning.start()]);
      waiting = undefined;
    });
    return { check: () => waiting };

    async function judge(uid: string): Promise<void> {
      const node = graph.get(uid);
      if (!node) return;
      if (!node.resource) return judgeUnseen(node);
      if (waitsForDependents(node)) return finishForeground(node);
      if (node.deleting || node.owners.length === 0) return;
      await judgeOwned({ ...node });
    }

    /**
     * `node` is a copy: while owners are looked up the graph goes on, and a verdict about one version must neither be
     * mixed with the owners of the next nor be carried out on it.
     */
    async function judgeOwned(node: GraphNode): Promise<void> {
      const { solid, dangling, waiting: leaving } = await classify(node);
      if (solid.length > 0) {
        if (dangling.length + leaving.length > 0) await dropOwners(node, [...dangling, ...leaving]);
      } else if (dangling.length + leaving.length < node.owners.length) {
        // An owner that is of no kind we can look up: nothing is known, so nothing is deleted.
        return;
      } else if (leaving.length > 0 && node.dependents.size > 0) {
        await breakCycle(node);
        await remove(node, 'Foreground');
      } else {
        await remove(
          node,
          node.finalizers.includes(ORPHAN) ? 'Orphan' : node.finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background',
        );
      }
    }

    /** Named as an owner, and no watch has brought it: either it is on its way, or it does not exist. */
    async function judgeUnseen(node: GraphNode): Promise<void> {
      const { reference } = node;
      if (!reference) return;
      const [dependent] = node.dependents;
      if (!dependent) return;
      if ((await lookUp(reference, dependent)) !== 'absent') return;
      for (const each of node.dependents) judging.enqueue(each.uid);
    }

    /** In the foreground: when no dependent blocks it any more, it goes. */
    async function finishForeground(node: GraphNode): Promise<void> {
      const blocking = [...node.dependents].filter(({ owners }) =>
        owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion),
      );
      if (blocking.length === 0) return dropFinalizer(node, FOREGROUND);
      for (const dependent of blocking) if (!dependent.deleting) judging.enqueue(dependent.uid);
    }

    async function orphan(uid: string): Promise<void> {
      const owner = graph.get(uid);
      if (!owner?.deleting || !owner.finalizers.includes(ORPHAN)) return;
      await Promise.all([...owner.dependents].map((dependent) => dropOwners(dependent, [{ uid }])));
      await dropFinalizer(owner, ORPHAN);
    }

    // ------------------------------------------------------------------------------------------ owners

    async function classify(node: GraphNode): Promise<{ solid: OwnerReference[]; dangling: OwnerReference[]; waiting: OwnerReference[] }> {
      const result: { solid: OwnerReference[]; dangling: OwnerReference[]; waiting: OwnerReference[] } = {
        solid: [],
        dangling: [],
        waiting: [],
      };
      const verdicts = await Promise.all(node.owners.map((owner) => lookUp(owner, node)));
      node.owners.forEach((owner, i) => {
        const verdict = verdicts[i];
        if (verdict === 'absent') result.dangling.push(owner);
        else if (verdict === 'waiting') result.waiting.push(owner);
        else if (verdict === 'solid') result.solid.push(owner);
      });
      return result;
    }

    /** The graph vouches for owners that are there; that one is not there only the server can say. */
    async function lookUp(owner: OwnerReference, dependent: GraphNode): Promise<'solid' | 'waiting' | 'absent' | 'unknown'> {
      const seen = graph.get(owner.uid);
      const resource = monitors.resourceOf(owner.apiVersion, owner.kind);
      if (seen?.resource && resource && isTheOne(seen, owner, resource, dependent)) return waitsForDependents(seen) ? 'waiting' : 'solid';
      if (!resource) {
        monitors.rediscover();
        throw Object.assign(new Error(`nothing serves the owner ${owner.apiVersion} ${owner.kind} of ${describe(dependent)}`), {
          code: 'ERR_OWNER_KIND_UNKNOWN',
        });
      }
      if (!resource.clusterScoped && dependent.namespace === '') {
        events.event(
          asObject(dependent),
          'Warning',
          'OwnerRefInvalidNamespace',
          `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: , name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace ""`,
        );
        return 'unknown';
      }
      const namespace = resource.clusterScoped ? '' : dependent.namespace;
      const isAbsent = await absent.check(`${owner.uid} ${namespace} ${owner.name} ${owner.apiVersion} ${owner.kind}`, async () => {
        try {
          const found = await client.get(resource, owner.name, namespace ? { namespace } : {});
          return found.metadata.uid !== owner.uid;
        } catch (error) {
          if (isNotFound(error)) return true;
          throw error;
        }
      });
      return isAbsent ? 'absent' : 'solid';
    }

    // ------------------------------------------------------------------------------------------ writes

    /** An object that goes in the foreground and has a dependent that does so too may be waiting in a circle. */
    async function breakCycle(node: GraphNode): Promise<void> {
      if (![...node.dependents].some(waitsForDependents) || !node.owners.some(({ blockOwnerDeletion }) => blockOwnerDeletion)) return;
      await patchMetadata(node, {
        ownerReferences: node.owners.map((owner) => (owner.blockOwnerDeletion ? { ...owner, blockOwnerDeletion: false } : owner)),
      });
    }

    async function dropOwners(node: GraphNode, owners: readonly { uid: string }[]): Promise<void> {
      const gone = new Set(owners.map(({ uid }) => uid));
      const left = node.owners.filter(({ uid }) => !gone.has(uid));
      if (left.length < node.owners.length) await patchMetadata(node, { ownerReferences: left.length > 0 ? left : null });
    }

    async function dropFinalizer(node: GraphNode, finalizer: string): Promise<void> {
      const left = node.finalizers.filter((name) => name !== finalizer);
      if (left.length < node.finalizers.length) await patchMetadata(node, { finalizers: left.length > 0 ? left : null });
    }

    /** Lists are replaced whole, so the patch holds only for the version they were read from; otherwise it is made anew. */
    async function patchMetadata(node: GraphNode, change: Record<string, unknown>): Promise<void> {
      const { resource, uid, resourceVersion } = node as GraphNode & { resource: DiscoveredResource };
      try {
        await client.patch(
          resource,
          node.name,
          { type: 'merge', patch: { metadata: { uid, resourceVersion, ...change } } },
          inNamespace(node),
        );
      } catch (error) {
        if (isNotFound(error)) return;
        if (isConflict(error)) await refresh(node);
        throw error;
      }
    }

    async function remove(node: GraphNode, propagationPolicy: 'Orphan' | 'Foreground' | 'Background'): Promise<void> {
      const { resource, uid, resourceVersion } = node as GraphNode & { resource: DiscoveredResource };
      try {
        // Only this version: one that got another owner meanwhile may have to stay.
        await client.delete(resource, node.name, { ...inNamespace(node), propagationPolicy, preconditions: { uid, resourceVersion } });
      } catch (error) {
        if (isNotFound(error) || statusCode(error) === 405) return;
        if (isConflict(error)) await refresh(node);
        throw error;
      }
    }

    /** The watch is behind (the server refused an old version): the next try should start from what is there. */
    async function refresh(node: GraphNode): Promise<void> {
      const resource = node.resource as DiscoveredResource;
      try {
        const fresh = await client.get<KubeObject>(resource, node.name, inNamespace(node));
        // One that its watch removed meanwhile must not come back by an answer from before.
        const known = graph.get(node.uid);
        if (known && fresh.metadata.uid === node.uid && Number(fresh.metadata.resourceVersion) > Number(known.resourceVersion))
          graph.set(resource, fresh);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  },
});

/** The same object by all that the reference says of it, and not only by a uid that somebody may have copied. */
function isTheOne(node: GraphNode, owner: OwnerReference, resource: DiscoveredResource, dependent: GraphNode): boolean {
  return (
    node.name === owner.name &&
    node.resource?.group === resource.group &&
    node.resource.resource === resource.resource &&
    (resource.clusterScoped === true || node.namespace === dependent.namespace)
  );
}

function inNamespace({ namespace }: GraphNode): { namespace?: string } {
  return namespace ? { namespace } : {};
}

function asObject({ resource, name, namespace, uid }: GraphNode): KubeObject {
  const { group = '', version = '', kind } = resource ?? {};
  return {
    apiVersion: group ? `${group}/${version}` : version,
    ...(kind ? { kind } : {}),
    metadata: { name, uid, ...(namespace ? { namespace } : {}) },
  };
}

function describe({ resource, name, namespace }: GraphNode): string {
  return `${resource?.resource ?? 'object'} ${namespace ? `${namespace}/` : ''}${name}`;
}
